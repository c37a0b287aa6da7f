"""The stages that sweeps have run, each counted once, and what one run per trial would have taken."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from analysis.results import Results

FIRST = ("stage", "part", "started", "seconds", "machine", "device", "gpus", "peak_memory", "commit", "packages")
LATER = ("diff", "sweeper")
"""Columns that earlier results lack."""


@dataclass(frozen=True)
class Stage:
    """A stage that was run."""

    stage: str
    """Its function."""
    part: str
    started: str
    """ISO 8601, UTC."""
    seconds: float
    machine: str | None
    device: str | None
    gpus: float | None
    peak_memory: int | None
    """Bytes."""
    commit: str | None
    packages: str | None
    """Versions, as JSON."""
    diff: str | None
    """How the code differed from the commit."""
    sweeper: str | None
    """Its version."""
    trials: int
    """That need it, of all sweeps together."""

    @property
    def alone(self) -> float:
        """Seconds, had every trial run it itself."""
        return self.seconds * self.trials

    @property
    def gpu_hours(self) -> float | None:
        """None where its share of a GPU is not known."""
        if self.device == "cpu":
            return 0.0
        return None if self.gpus is None else self.seconds / 3600 * self.gpus

    @property
    def versions(self) -> Mapping[str, str]:
        """Of Python and packages."""
        own = {"sweeper": self.sweeper} if self.sweeper else {}
        return dict(json.loads(self.packages)) | own if self.packages else own


def stages_of(sweeps: Iterable[Results]) -> list[Stage]:
    """The stages of all sweeps by start; one that several need is one. Raises NoTable."""
    tables = [table for results in sweeps if (table := results.beside("stages"))]
    if not tables:
        return []
    every = pa.concat_tables([_columns(table) for table in tables], promote_options="permissive")
    firsts = [(name, "first") for name in (*FIRST, *LATER)]
    grouped = every.group_by("key", use_threads=False).aggregate([("trials", "sum"), *firsts])
    found = [_stage(row) for row in grouped.to_pylist()]
    return sorted(found, key=lambda each: each.started)


def _columns(table: pa.Table) -> pa.Table:
    for name in LATER:
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(len(table), pa.string()))
    return table.select(["key", "trials", *FIRST, *LATER])


def _stage(row: Mapping[str, Any]) -> Stage:
    return Stage(trials=row["trials_sum"], **{name: row[f"{name}_first"] for name in (*FIRST, *LATER)})


def seconds_of(stages: Iterable[Stage]) -> float:
    """That were spent."""
    return math.fsum(each.seconds for each in stages)


def alone_of(stages: Iterable[Stage]) -> float:
    """Seconds that one run per trial would have taken."""
    return math.fsum(each.alone for each in stages)


def saved_share(stages: Sequence[Stage]) -> float:
    """What sharing saved of one run per trial, in percent."""
    alone = alone_of(stages)
    return 100 * (1 - seconds_of(stages) / alone) if alone else 0.0


def by(stages: Iterable[Stage], name: Callable[[Stage], str]) -> dict[str, list[Stage]]:
    """The stages in groups, in the order of the first of each."""
    groups: dict[str, list[Stage]] = {}
    for each in stages:
        groups.setdefault(name(each), []).append(each)
    return groups
