"""Write the results of a sweep from its runs in MLflow, without its store: see `sweeper.records.writer`.

The sweep's run says which trials it has; numbers, pictures and measures are read from the runs of finished trials.
MLflow does not know the costs of trials that have not finished: they are null. Stages and their learning curves are
left there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import pyarrow.parquet as pq
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from analysis.contract import SUGGESTIONS, TABLE_METADATA, TRIALS
from sweeper.errors import CutShort, SweeperError, first_line, nearest
from sweeper.planning.cost import total
from sweeper.records.extras import TrialFile, write_files
from sweeper.records.layout import RunsDirectory
from sweeper.records.writer import write_trials
from sweeper.tracking.client import CAUSE, FILES, KEY, connect, knock, living, runs_of, sweeps, trial_key
from sweeper.tracking.content import SAVED, TRIAL

Row: TypeAlias = dict[str, Any]
Track: TypeAlias = Callable[[Sequence[Row], str], Iterable[Row]]
"""Yields the same rows one by one, while a display shows the progress under a name."""
ABSENT = {"status": "missing", "cause": "no run in MLflow"}
LAST = ("target", "stages", "commit")
"""Columns behind all numbers."""


@dataclass(frozen=True)
class Exported:
    """The results of one space."""

    name: str
    finished: int
    trials: int


def export_results(uri: str, names: Sequence[str], runs: Path, track: Track) -> Iterator[Exported]:
    """Write the results of sweeps that stand in MLflow, each in one step, below ``runs/results``.

    Args:
        uri: tracking URI of a server or database.
        names: of experiments; all that sweeps have made when it is empty.
        runs: a directory as ``--runs`` takes it, without a store of its own.
        track: tells how far it is.

    Raises SweeperError for an experiment that is not there or is no sweep's, and where MLflow or the directory cannot
    be used; CutShort where MLflow stops answering.
    """
    if RunsDirectory(runs).store.exists():
        raise SweeperError(f"{runs} has sweeps of its own", fix="choose another directory with -o")
    database = Path(uri.removeprefix("sqlite:///"))
    if uri.startswith("sqlite:///") and not database.exists():  # it would be made
        fix = "name its directory with --runs, or a server with --tracking-uri"
        raise SweeperError(f"{database} does not exist", fix=fix)
    knock(uri, fix="start the server, or name another with --tracking-uri")
    client = connect(uri)
    found = [_sweep(client, name, uri) for name in names] or list(sweeps(client).values())
    if not found:
        raise SweeperError(f"no sweep has been tracked at {uri}", fix="name another place with --tracking-uri")
    for sweep in found:
        try:
            yield _Export(client, sweep, track).write(RunsDirectory(runs).results)
        except (MlflowException, OSError) as error:
            message = f"{sweep.info.run_name} cannot be exported from {uri}: {first_line(error)}"
            raise CutShort(message, fix="fix that, then run it again; what was exported is kept") from None


def _sweep(client: MlflowClient, name: str, uri: str) -> Run:
    """Return the run of the sweep of this name. Raises SweeperError."""
    experiment = living(client, name)
    sweep = next(runs_of(client, [experiment.experiment_id], "sweep"), None) if experiment else None
    if sweep is None:
        problem = f"experiment '{name}' is no sweep's" if experiment else f"no experiment is called '{name}'"
        known = sweeps(client)
        raise SweeperError(f"{problem} at {uri}", fix=nearest(name, known) if known else "no sweep was tracked there")
    return sweep


class _Export:
    """One sweep on its way from MLflow into a directory."""

    def __init__(self, client: MlflowClient, sweep: Run, track: Track) -> None:
        self._client = client
        self._sweep = sweep
        self._track = track
        self._runs = _runs(client, sweep.info.experiment_id)

    def write(self, results: Path) -> Exported:
        """Write it aside, and move it into place."""
        results.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".export-", dir=results) as directory:
            scratch = Path(directory)
            started = pq.read_table(self._fetch(self._sweep, TRIALS, scratch))
            description = json.loads(started.schema.metadata[TABLE_METADATA])
            name = _bare(description["name"])
            rows = list(self._rows(started.to_pylist(), description, scratch))
            written = write_trials(rows, description, scratch).parent
            finished = [row for row in rows if row["status"] == "finished"]
            write_files(self._files(self._track(finished, f"{name}: files"), scratch), written)
            self._take_suggestions(written, scratch)
            if (place := results / name).exists():
                place.rename(scratch / "before")
            written.rename(place)
        return Exported(name, len(finished), len(rows))

    def _take_suggestions(self, written: Path, scratch: Path) -> None:
        """Return the suggestions of a searched space."""
        if any(each.path == SUGGESTIONS for each in self._client.list_artifacts(self._sweep.info.run_id)):
            self._fetch(self._sweep, SUGGESTIONS, scratch).replace(written / SUGGESTIONS)

    def _rows(self, started: Sequence[Row], description: Mapping[str, Any], scratch: Path) -> Iterator[Row]:
        """Yield the rows of the results, in order."""
        costs = [name for name, number in description["numbers"].items() if number["kind"] == "cost"]
        seen: set[str] = set()
        for row in self._track(started, f"{description['name']}: trials"):
            run = self._runs.get(_key(row))
            if run is None:
                yield row | ABSENT
            elif cause := run.data.tags.get(CAUSE):
                yield row | {"status": "pruned" if run.info.status == "KILLED" else "failed", "cause": cause}
            else:
                told = json.loads(self._fetch(run, TRIAL, scratch).read_text())
                spent = told["costs"] | {SAVED: total(seen.intersection(row["stages"]), told["stages"])}
                yield _finished(row, told["metrics"], {name: spent.get(name) for name in costs})
            seen.update(row["stages"])

    def _files(self, finished: Iterable[Row], scratch: Path) -> Iterator[TrialFile]:
        """Yield the pictures and measures of finished trials."""
        for row in finished:
            run = self._runs[_key(row)]
            for name in run.data.tags[FILES].split("/"):
                if name != TRIAL:
                    content = self._fetch(run, name, scratch).read_bytes()
                    yield TrialFile(row["trial"], _bare(row["target"]), name, content)

    def _fetch(self, run: Run, name: str, scratch: Path) -> Path:
        """Fetch a run's file, in place of the last one that was fetched."""
        uri = f"{run.info.artifact_uri}/{_bare(name)}"  # asks nothing of the run again
        return Path(download_artifacts(uri, dst_path=str(scratch), tracking_uri=self._client.tracking_uri))


def _runs(client: MlflowClient, experiment: str) -> dict[str, Run]:
    """Return the run that counts by trial: the finished one, or else the last that failed."""
    found: dict[str, Run] = {}
    for run in runs_of(client, [experiment], "trial"):
        finished = run.info.status == "FINISHED"
        if finished or CAUSE in run.data.tags:  # and not half written
            key = run.data.tags[KEY]
            found[key] = run if finished else found.get(key, run)  # newest first
    return found


def _finished(started: Row, metrics: Row, spent: Row) -> Row:
    """Return a row as the driver writes it, with its columns in the same order."""
    head = {name: value for name, value in started.items() if name not in spent and name not in LAST}
    return {**head, "status": "finished", "cause": None, **metrics, **spent, **{name: started[name] for name in LAST}}


def _key(row: Row) -> str:
    return trial_key(row["target"], row["trial"])


def _bare(name: str) -> str:
    """Return the name. Raises SweeperError if a server sends one that leads out of its directory."""
    if Path(name).name != name or name in ("", ".."):
        raise SweeperError(f"MLflow names a file '{name}'", fix="report it to the server's owner")
    return name
