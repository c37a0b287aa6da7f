"""Addresses of a sweep's runs in the MLflow UI."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from sweeper.records.layout import RunsDirectory
from sweeper.records.sweep import tracked_at
from sweeper.records.trials import read_trials

if TYPE_CHECKING:
    from mlflow.entities import Run

MAX_COMPARED = 100
"""Maximum runs on one compare page: a browser takes seconds to draw more, and some cut longer addresses."""
LOCAL = "http://127.0.0.1:5000"
"""Address at which ``sweeper ui --port 5000`` serves the embedded database."""


@dataclass(frozen=True)
class Found:
    """The finished trials of a space that have a run, in the order of its results."""

    experiment: str
    """Id of the experiment."""
    runs: dict[str, Run]
    """Ids of runs by the trial's label."""
    repeated: Sequence[str] = ("seed",)
    """Names that rows are repeated over."""

    def compare(self, base: str) -> str:
        """Return the page that compares the trials; of more than `MAX_COMPARED` every row with its first seeds."""
        ids = [run.info.run_id for run in sorted(self.runs.values(), key=self._repeats)[:MAX_COMPARED]]
        return f"{base}/#/compare-runs?runs={_quoted(ids)}&experiments={_quoted([self.experiment])}"

    def links(self, base: str) -> dict[str, str]:
        """Return the page of each run by the trial's label."""
        place = f"{base}/#/experiments/{self.experiment}/runs"
        return {label: f"{place}/{run.info.run_id}" for label, run in self.runs.items()}

    def _repeats(self, run: Run) -> list[int]:
        """Return the sort key of a run: all rows with the first seed, then with the next one."""
        return [int(run.data.params.get(name, "0")) for name in reversed(self.repeated)]


def run_links(runs: Path, space: str, base: str = LOCAL) -> dict[str, str]:
    """Return the address of the MLflow run of every finished trial of a space, by the trial's label.

    Args:
        runs: directory of the results and the embedded database.
        space: name of the results.
        base: where the embedded database is served. A sweep that was tracked on a server is linked there.

    Nothing where the space was run without MLflow. Raises SweeperError where its server does not answer.
    """
    uri = tracked_at(runs, space)
    if uri is None or (uri == RunsDirectory(runs).tracking_uri and not RunsDirectory(runs).database.exists()):
        return {}
    return find_runs(runs, space, uri).links(server_of(runs, [space]) or base)


def server_of(runs: Path, spaces: list[str]) -> str | None:
    """Return the tracking server of the first of the spaces; None if it was tracked in a database."""
    found = next((uri for space in spaces if (uri := tracked_at(runs, space))), None)
    return found.rstrip("/") if found and found.startswith(("http://", "https://")) else None


def find_runs(runs: Path, space: str, uri: str) -> Found:
    """Return the runs of the trials in the space's results. Raises SweeperError if MLflow does not respond."""
    from sweeper.tracking.client import KEY, connect, knock, living, runs_of, trial_key

    knock(uri, fix="start the server that the sweep was tracked on")
    client = connect(uri)
    experiment = living(client, space)
    if experiment is None:
        return Found("", {})
    found = {
        run.data.tags[KEY]: run
        for run in runs_of(client, [experiment.experiment_id], "trial")
        if run.info.status == "FINISHED"
    }
    trials = read_trials(runs, space)
    keys = {trial.label: trial_key(trial.target, trial.label) for trial in trials}
    there = {label: found[key] for label, key in keys.items() if key in found}
    return Found(experiment.experiment_id, there, trials[0].repeated if trials else ())


def _quoted(ids: list[str]) -> str:
    return quote(json.dumps(ids, separators=(",", ":")), safe="")
