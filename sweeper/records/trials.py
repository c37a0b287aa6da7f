"""Recorded trials: read them from the results, find one by a short name, compare them with the store.

A trial is named by its sweep and words of its label, or by the first digits of its key:

    tiny/plus 2 seed=1      words in any order, also separated by commas or dots
    3e13d5                  at least four digits of the key of its last stage

Reading changes nothing: a damaged artifact counts as missing here, and setting it aside is left to a run.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.contract import TABLE_METADATA
from sweeper.errors import SweeperError, nearest
from sweeper.records.layout import RunsDirectory
from sweeper.records.sweep import last_record, read_record
from sweeper.store import open_store
from sweeper.store.base import Place, Store

CANDIDATES = 8
"""Maximum number of trials that an error lists."""
COLUMNS = ("trial", "status", "cause", "target", "stages")


@dataclass(frozen=True)
class RecordedTrial:
    """A trial of a space's results."""

    space: str
    label: str
    status: str
    """``finished``, ``failed`` or ``missing`` when the results were written."""
    cause: str | None
    target: str
    stages: tuple[str, ...]
    """Keys of its stages, inputs before what needs them; the last one is ``target``."""
    repeated: tuple[str, ...]
    """Names that the space's rows are repeated over, the seed first."""

    @property
    def row(self) -> str:
        """Its label without the seed and other repeats; empty where a space has one row."""
        return " · ".join(self.label.split(" · ")[: -len(self.repeated)])

    @property
    def repeats(self) -> list[str]:
        """The seed and other repeats at the end of its label, such as ``seed 1`` and ``fold 0``."""
        return self.label.split(" · ")[-len(self.repeated) :]

    def status_among(self, done: Collection[str]) -> str:
        """Return its status now, given the stages that are done: missing or failed ones may be done since."""
        return "finished" if self.target in done else self.status


def store_of(runs: Path, name: str) -> Store:
    """Open the store of the sweep or space called ``name``."""
    return open_store(recorded_place(runs, name) or RunsDirectory(runs).place)


def recorded_place(runs: Path, name: str) -> Place | None:
    """Return the store named by the last sweep that ran the sweep or space called ``name``."""
    last = last_record(runs, lambda record: name in (record.name, *record.spaces))
    return last.store if last else None


def spaces_of(runs: Path, name: str) -> list[str]:
    """Return the spaces of the sweep or space called ``name`` that have results. Raises SweeperError."""
    known, sweeps = RunsDirectory(runs).spaces(), RunsDirectory(runs).sweeps()
    if name in sweeps:
        return [space for space in read_record(runs, name).spaces if space in known]
    if name in known:
        return [name]
    names = sorted({*sweeps, *known})
    fix = nearest(name, names) if names else "run one: sweeper run SPACE"
    raise SweeperError(f"no sweep called '{name}' in {runs}", fix=fix)


def read_trials(runs: Path, space: str) -> Sequence[RecordedTrial]:
    """Read the trials of a space in order; none before its results are first written. Raises SweeperError."""
    path = RunsDirectory(runs).trials_of(space)
    try:
        return _trials(path.absolute(), space, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return ()


def read_row(runs: Path, trial: RecordedTrial) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Read a trial's row, the description of its space, and the columns in which the space's trials differ."""
    table = _table(RunsDirectory(runs).trials_of(trial.space), None)
    row = next(row for row in table.to_pylist() if (row["trial"], row["target"]) == (trial.label, trial.target))
    differ = [name for name in table.column_names if any(each != row[name] for each in table[name].to_pylist())]
    return row, json.loads(table.schema.metadata[TABLE_METADATA]), differ


def find_trial(runs: Path, text: str) -> RecordedTrial:
    """Find the trial that ``text`` names. Raises SweeperError with candidates if there is none, or several."""
    name, slash, words = text.partition("/")
    if not slash and re.fullmatch(r"[0-9a-f]{4,64}", text) and not _is_name(runs, text):
        trials = [trial for space in RunsDirectory(runs).spaces() for trial in read_trials(runs, space)]
        return _only([trial for trial in trials if trial.target.startswith(text)], trials, f"key {text}", runs)
    trials = [trial for space in spaces_of(runs, name) for trial in read_trials(runs, space)]
    if not trials:
        raise SweeperError(f"{name} has no results yet", fix=f"see how far it is: sweeper status {name}")
    names = {repeat.rpartition(" ")[0] for trial in trials for repeat in trial.repeats}
    wanted = _words(words, names)
    matching = [trial for trial in trials if wanted <= _words(trial.label, names)]
    exact = [trial for trial in matching if wanted == _words(trial.label, names)]
    near = sorted(trials, key=lambda trial: -len(wanted & _words(trial.label, names)))
    return _only(exact or matching, near, f"'{words}' in {name}" if words else name, runs)


def _only(matching: Sequence[RecordedTrial], near: Sequence[RecordedTrial], asked: str, runs: Path) -> RecordedTrial:
    """Return the first of trials that are the same under several labels. Raises SweeperError if they differ."""
    if len({trial.target for trial in matching}) == 1:
        return matching[0]
    listed = matching or near
    if not listed:
        raise SweeperError(f"no trial has {asked}: {runs} has no results", fix="run a sweep: sweeper run SPACE")
    spaces = len({trial.space for trial in listed}) > 1
    lines = [f"{each.target[:12]}  {each.space + '/' if spaces else ''}{each.label}" for each in listed[:CANDIDATES]]
    more = [f"and {len(listed) - CANDIDATES} more"] if len(listed) > CANDIDATES else []
    problem = f"{len(matching)} trials match {asked}" if matching else f"no trial matches {asked}"
    raise SweeperError(problem, fix="\n    ".join(["name one by its key or by words of its label:", *lines, *more]))


def _is_name(runs: Path, text: str) -> bool:
    return text in RunsDirectory(runs).sweeps() or text in RunsDirectory(runs).spaces()


def _words(label: str, repeated: Collection[str]) -> set[str]:
    """Split a label, or a request, into words; a repeated name with its number, such as ``seed 1``, is one word."""
    names = "|".join(map(re.escape, repeated))
    joined = re.sub(rf"(?<![\w.])({names})[ =]+(\d+)", r"\1=\2", label)
    return set(joined.replace(",", " ").replace("·", " ").split())


@functools.lru_cache(maxsize=64)
def _trials(path: Path, space: str, changed: int) -> tuple[RecordedTrial, ...]:
    """Read again when the file has changed: a sweep that is watched is looked at every second."""
    table = _table(path, COLUMNS)
    repeated = tuple(json.loads(table.schema.metadata[TABLE_METADATA])["seeds"])
    return tuple(
        RecordedTrial(space, row["trial"], row["status"], row["cause"], row["target"], tuple(row["stages"]), repeated)
        for row in table.to_pylist()
    )


def _table(path: Path, columns: Sequence[str] | None) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_table(
            path, columns=columns and list(columns), partitioning=None, page_checksum_verification=True
        )
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, ValueError):
        raise SweeperError(f"{path} cannot be read", fix="run the sweep again to rewrite the file") from None
