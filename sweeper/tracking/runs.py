"""Find and write the runs of one experiment: each key once, whatever happened to earlier drivers."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow import MlflowClient
from mlflow.entities import Metric, Param

from sweeper.tracking.client import CAUSE, FILES, KEY, KIND, STORE, runs_of
from sweeper.tracking.content import Content

METRICS, PARAMS, TAG = 900, 100, 5000
"""Metrics and parameters per request, and characters per tag; a server takes 1,000, 100 and 8,000 at most."""


class TrackedRuns:
    """The sweep's run, and below it those of trials and stages, by key.

    Args:
        client: of the tracking server or database.
        name: of the experiment, which is made, or restored, where there is none.
        artifacts: where a new experiment keeps its artifacts; None for the server's choice.
        store: whose runs these are. What a killed driver of the same store has left half written is deleted.
    """

    def __init__(self, client: MlflowClient, name: str, artifacts: Path | None, store: str) -> None:
        self._client = client
        self._name = name
        self._store = store
        self._failures: set[tuple[str, str]] = set()
        self._params: dict[str, set[str]] = {}
        self._experiment = self._find_experiment(artifacts)
        self._written = {kind: self._find(kind) for kind in ("sweep", "trial", "stage")}
        self._parent = ""

    @property
    def names(self) -> set[str]:
        """Names of the parameters of trials' runs."""
        return set().union(*self._params.values())

    def begin(self) -> None:
        """Start the sweep's run, or go on with it."""
        self._parent = self._written["sweep"].get(self._name, "")
        if self._parent:
            self._client.update_run(self._parent, status="RUNNING")
        else:
            tags = {KIND: "sweep", KEY: self._name}
            run = self._client.create_run(self._experiment, run_name=self._name, tags=tags)
            self._parent = run.info.run_id

    def keep(self, files: Sequence[Path], folder: str | None = None) -> None:
        """Upload files to the sweep's run, in place of those of the same names."""
        for each in files:
            self._client.log_artifact(self._parent, str(each), folder)

    def measure(self, values: Mapping[str, float], step: int) -> None:
        """Write numbers of the sweep's run."""
        stamp = int(1000 * time.time())
        self._log(self._parent, {}, [Metric(name, value, stamp, step) for name, value in values.items()])

    def end(self, status: str) -> None:
        """End the sweep's run."""
        self._client.set_terminated(self._parent, status)

    def has(self, kind: str, key: str) -> bool:
        """Check whether a trial or stage has its run."""
        return key in self._written[kind]

    def forget(self, kind: str, key: str) -> None:
        """Delete the run of what has been made again."""
        if run_id := self._written[kind].pop(key, None):
            self._client.delete_run(run_id)

    def write(self, kind: str, key: str, content: Content) -> None:
        """Write the run of a trial or stage."""
        tags = self._tags(kind, key) | {STORE: self._store}
        if kind == "trial":
            tags[FILES] = "/".join([*content.texts, *content.files])
        run_id = self._client.create_run(self._experiment, content.start, tags, content.name).info.run_id
        self._log(run_id, content.params, content.metrics)
        for name, text in content.texts.items():
            self._client.log_text(run_id, text, name)
        with TemporaryDirectory() as directory:
            for name, picture in content.files.items():
                (Path(directory) / name).write_bytes(picture)
                self._client.log_artifact(run_id, str(Path(directory) / name))
        self._client.set_terminated(run_id, "FINISHED", end_time=int(content.start + 1000 * content.seconds))
        self._written[kind][key] = run_id
        if kind == "trial":
            self._params[key] = set(content.params)

    def write_failure(
        self, kind: str, key: str, name: str, cause: str, params: Mapping[str, str], status: str = "FAILED"
    ) -> None:
        """Write the run of what has failed or was stopped; once for a cause, however often the same command is said."""
        self.forget(kind, key)  # of what was there once
        if (key, cause[:TAG]) in self._failures:
            return
        tags = self._tags(kind, key) | {CAUSE: cause[:TAG]}
        run_id = self._client.create_run(self._experiment, run_name=name, tags=tags).info.run_id
        self._log(run_id, params, [])
        self._client.set_terminated(run_id, status)

    def add(self, key: str, params: Mapping[str, str]) -> None:
        """Give the run of a trial the parameters that it lacks."""
        told = self._params.setdefault(key, set())
        lacking = {name: value for name, value in params.items() if name not in told}
        self._log(self._written["trial"][key], lacking, [])
        told |= lacking.keys()

    def _log(self, run_id: str, params: Mapping[str, str], metrics: Sequence[Metric]) -> None:
        values = [Param(name, value) for name, value in params.items()]
        while values or metrics:
            self._client.log_batch(run_id, metrics[:METRICS], values[:PARAMS])
            metrics, values = metrics[METRICS:], values[PARAMS:]

    def _tags(self, kind: str, key: str) -> dict[str, str]:
        return {KIND: kind, KEY: key, "mlflow.parentRunId": self._parent}

    def _find_experiment(self, artifacts: Path | None) -> str:
        found = self._client.get_experiment_by_name(self._name)
        if found and found.lifecycle_stage != "active":
            self._client.restore_experiment(found.experiment_id)
        if found:
            return str(found.experiment_id)
        place = (artifacts / self._name).absolute().as_uri() if artifacts else None
        return str(self._client.create_experiment(self._name, artifact_location=place))

    def _find(self, kind: str) -> dict[str, str]:
        """Return ids by key, and remember failures."""
        found: dict[str, str] = {}
        for run in list(runs_of(self._client, [self._experiment], kind)):  # all, before one is deleted between pages
            key, cause = run.data.tags[KEY], run.data.tags.get(CAUSE)
            if kind == "sweep" or run.info.status == "FINISHED":
                found[key] = run.info.run_id
                if kind == "trial":
                    self._params[key] = set(run.data.params)
            elif cause is not None:
                self._failures.add((key, cause))
            elif run.data.tags.get(STORE) == self._store:  # not of another driver on this server
                self._client.delete_run(run.info.run_id)
        return found
