"""The stages of sweeps, each counted once, and the time that one run per trial would have taken."""

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
"""Columns that results of earlier versions lack."""


@dataclass(frozen=True)
class Stage:
    """A finished stage."""

    stage: str
    """Label of its function."""
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
    """Versions of packages, as JSON."""
    diff: str | None
    """Changes to the code against the commit."""
    sweeper: str | None
    """Version of sweeper."""
    trials: int
    """Number of trials that need it, over all sweeps."""

    @property
    def alone(self) -> float:
        """Seconds that it would take if every trial ran it."""
        return self.seconds * self.trials

    @property
    def gpu_hours(self) -> float | None:
        """GPU-hours; None if its share of a GPU is unknown."""
        if self.device == "cpu":
            return 0.0
        return None if self.gpus is None else self.seconds / 3600 * self.gpus

    @property
    def versions(self) -> Mapping[str, str]:
        """Versions of Python and packages."""
        own = {"sweeper": self.sweeper} if self.sweeper else {}
        return dict(json.loads(self.packages)) | own if self.packages else own


def stages_of(sweeps: Iterable[Results]) -> list[Stage]:
    """Return the stages of all sweeps, sorted by start; a shared stage is listed once. Raises NoTable."""
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
    """Return the seconds that stages took."""
    return math.fsum(each.seconds for each in stages)


def alone_of(stages: Iterable[Stage]) -> float:
    """Return the seconds that one run per trial would have taken."""
    return math.fsum(each.alone for each in stages)


def saved_share(stages: Sequence[Stage]) -> float:
    """Return the time that sharing saved, in percent of one run per trial."""
    alone = alone_of(stages)
    return 100 * (1 - seconds_of(stages) / alone) if alone else 0.0


def by(stages: Iterable[Stage], name: Callable[[Stage], str]) -> dict[str, list[Stage]]:
    """Group the stages, in the order of the first of each group."""
    groups: dict[str, list[Stage]] = {}
    for each in stages:
        groups.setdefault(name(each), []).append(each)
    return groups
