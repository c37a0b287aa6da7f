"""MLflow: a run per sweep, below it a run per trial and a run per executed stage. Only the driver writes.

A trial's or stage's run is written when it has ended, with its true start and end, and found again by its key: a
sweep that goes on neither doubles a run nor leaves one behind, and what a killed driver did not write is written then.
A stage that has run again, and the trials that end with it, take the place of their earlier runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow.exceptions import MlflowException

from analysis.contract import FOUND, SUGGESTIONS
from sweeper.errors import SweeperError, first_line
from sweeper.planning.graph import Plan
from sweeper.planning.text import stage_name
from sweeper.records.layout import RunsDirectory
from sweeper.records.passwords import without_password
from sweeper.records.writer import described, write_trials
from sweeper.store.base import Damaged, Store
from sweeper.tracking.client import connect, trial_key
from sweeper.tracking.content import differing, parameters, stage_content, started_rows, trial_content
from sweeper.tracking.runs import TrackedRuns
from sweeper.trainable.stage import Stage


class MlflowTracker:
    """Writes ended trials and stages of one plan to MLflow, see `sweeper.tracking.base.Tracker`.

    Args:
        plan: the sweep; its name is the experiment's.
        store: where manifests, curves and metrics are read from.
        runs: directory of the embedded database, with the artifacts of its runs.
        uri: tracking URI of another database or a server.

    Raises SweeperError when the tracking server or database cannot be used.
    """

    def __init__(self, plan: Plan, store: Store, runs: Path, uri: str | None) -> None:
        self._plan = plan
        self._store = store
        self.broken: str | None = None
        """Line that says why tracking stopped during the sweep; None while it works."""
        embedded = RunsDirectory(runs)
        artifacts = None if uri else embedded.tracked_files
        uri = uri or embedded.tracking_uri
        try:
            self._runs = TrackedRuns(connect(uri), plan.space.name, artifacts, store.place.address)
            self._names = differing(plan.space) | self._runs.names
            self._runs.begin()
            self._keep_table()
        except Exception as error:
            fix = "check --tracking-uri, or run with --no-tracking"
            message = without_password(f"MLflow at {uri} cannot be used: {first_line(error)}")
            raise SweeperError(message, fix=fix) from None

    def ended(self, node: Stage, failure: str | None) -> None:
        """Write the stage's run, and the runs of the trials it finished."""
        if node.key not in self._plan.stages:  # of another space of the sweep
            return
        if failure:
            name = stage_name(node.function.label, node.params)
            self._guard(lambda: self._runs.write_failure("stage", node.key, name, failure, {}))
            return
        self._guard(lambda: self._runs.forget("stage", node.key))
        for index in self._plan.by_target.get(node.key, ()):
            self._guard(partial(self._runs.forget, "trial", trial_key(node.key, self._plan.trials[index].label)))
        self._write(node)

    def close(self, failed: Mapping[str, str], interrupted: bool) -> None:
        """Write failed trials and what an interrupted driver left out, and end the sweep's run.

        Args:
            failed: cause by key of the stage that could not be done, in whichever space.
            interrupted: whether the user stopped the sweep.
        """
        for key, node in self._plan.stages.items():
            if self._store.has(key):
                self._write(node)
        for trial, target in self._plan.pairs():
            key, params = trial_key(target.key, trial.label), parameters(trial, self._names)
            if target.key in failed:
                self._guard(partial(self._runs.write_failure, "trial", key, trial.label, failed[target.key], params))
            elif (cause := self._plan.pruned.get(target.key)) and not self._store.has(target.key):
                self._guard(partial(self._runs.write_failure, "trial", key, trial.label, cause, params, "KILLED"))
        if self._plan.space.searched:
            self._guard(self._keep_table)
        status = "KILLED" if interrupted else "FAILED" if failed.keys() & self._plan.stages.keys() else "FINISHED"
        self._guard(lambda: self._runs.end(status))

    def write_search(self, directory: Path) -> None:
        """Write what a search has found so far, from the results below ``directory``, into the sweep's run."""
        name = self._plan.space.name
        if self._plan.space.searched and (directory / name / SUGGESTIONS).exists():
            from sweeper.records.search_output import search_metrics

            count, metrics = search_metrics(directory, name)
            suggestions, files = directory / name / SUGGESTIONS, sorted((directory / name / FOUND).iterdir())
            self._guard(lambda: self._runs.measure(metrics, count))
            self._guard(lambda: self._runs.keep([suggestions]))
            self._guard(lambda: self._runs.keep(files, FOUND))

    def _keep_table(self) -> None:
        """Return the trials known so far: those of a search come one by one."""
        if self._plan.trials:
            with TemporaryDirectory() as directory:
                rows, about = started_rows(self._plan), described(self._plan.space)
                self._runs.keep([write_trials(rows, about, Path(directory))])

    def _write(self, node: Stage) -> None:
        """Write the run of a finished stage, and of the trials that end with it, unless they exist."""
        if not self._runs.has("stage", node.key):
            self._guard(lambda: self._write_stage(node))
        if node.key in self._plan.by_target:
            self._guard(lambda: self._write_trials(node))

    def _write_stage(self, node: Stage) -> None:
        manifest = self._store.manifest(node.key)
        if manifest["sweep"] == self._plan.space.name:
            self._runs.write("stage", node.key, stage_content(node, manifest, self._store))

    def _write_trials(self, target: Stage) -> None:
        for index in self._plan.by_target[target.key]:
            trial, stages = self._plan.trials[index], self._plan.per_trial[index]
            key, params = trial_key(target.key, trial.label), parameters(trial, self._names)
            if self._runs.has("trial", key):
                self._runs.add(key, params)  # what has come to differ since
                continue
            self._runs.write("trial", key, trial_content(self._plan.space, trial, stages, params, self._store))

    def _guard(self, write: Callable[[], None]) -> None:
        """Write, unless tracking is broken: a server that goes away must not take the sweep with it."""
        if self.broken:
            return
        try:
            write()
        except Damaged:
            return
        except (MlflowException, OSError) as error:
            self.broken = f"MLflow stopped answering: {first_line(error)}"
