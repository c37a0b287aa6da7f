"""A sweep's results as they lie on disk: its trials, what its space says of them, and what stands beside them.

NAME/trials.parquet            a row per trial; the schema's metadata describes the space
NAME/stages.parquet            a row per stage that was run: seconds, device, commit, of how many trials it is
NAME/curves.parquet            learning curves: key of the stage, metric, step, value
NAME/measures/MEASURE.parquet  measures too long for a trial's row, each with the trial's label
NAME/pictures/TARGET/*.png     pictures by the first 12 characters of the trial's target
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

METADATA = b"sweeper.table"
SHORT = 12
"""Characters of a target that name its pictures' directory."""


class NoTable(Exception):
    """The results cannot be read as a table; the message says why and what to do."""


@dataclass(frozen=True)
class Number:
    """What is known of a column of numbers."""

    kind: Literal["fact", "metric", "cost"]
    """Counted from the config, measured by the run, or spent on it."""
    meaning: str
    better: Literal["higher", "lower"] | None
    title: str
    decimals: int


@dataclass(frozen=True)
class Description:
    """What a space says of its trials."""

    name: str
    rows: Sequence[str]
    """Names whose values are the rows of the table."""
    across: str | None
    """The one of them whose values stand side by side."""
    columns: Sequence[str]
    bounds: Sequence[str]
    """Cases that are limits of what can be reached, and no rivals."""
    published: str | None
    baseline: Mapping[str, Any]
    """Values by name of the row that others are compared with; empty where there is none."""
    design: Sequence[str]
    """Names that vary in the space, ``case`` among them."""
    seeds: Sequence[str]
    """Names that trials are repeated over."""
    numbers: Mapping[str, Number]

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> Description:
        """From the metadata of the results. Raises KeyError, TypeError."""
        numbers = {
            name: Number(**each | {"title": each["title"] or name}) for name, each in metadata["numbers"].items()
        }
        rows = [metadata["rows"]] if isinstance(metadata["rows"], str) else metadata["rows"]
        names = ("name", "across", "columns", "bounds", "published", "baseline", "design", "seeds")
        return cls(rows=rows, numbers=numbers, **{name: metadata[name] for name in names})

    def number(self, name: str) -> Number:
        """What is known of a column; of a config's value no more than its name."""
        return self.numbers.get(name) or Number("fact", name, None, name, 2)


@dataclass(frozen=True)
class Results:
    """The results of one sweep."""

    trials: pa.Table
    """A row per trial: ``trial`` its label, ``status`` (finished, failed or missing), ``cause``, the names of the
    design, the config by dotted name, facts, metrics (null where not measured), costs, ``target``, ``stages``."""
    described: Description
    directory: Path

    @property
    def name(self) -> str:
        """Of the sweep."""
        return self.described.name

    @cached_property
    def finished(self) -> pa.Table:
        """The trials that have numbers."""
        return self.trials.filter(pc.equal(self.trials["status"], "finished"))

    def beside(self, name: str) -> pa.Table | None:
        """``stages``, ``curves``, or ``measures/NAME``; None where the sweep has none. Raises NoTable."""
        path = self.directory / f"{name}.parquet"
        return _read(path) if path.exists() else None

    def pictures(self, target: str) -> list[Path]:
        """Those of the trial with this target, by name."""
        return sorted((self.directory / "pictures" / target[:SHORT]).glob("*.png"))


def read_results(directory: Path, name: str) -> Results:
    """The results of a sweep below ``directory``. Raises NoTable."""
    path = directory / name / "trials.parquet"
    if not path.exists():
        known = sorted(each.parent.name for each in directory.glob("*/trials.parquet"))
        found = f"results here: {', '.join(known)}" if known else "nothing has been run here yet"
        raise NoTable(f"no results called '{name}' in {directory}\n  fix: {found}")
    trials = _read(path)
    try:
        described = Description.of(json.loads(trials.schema.metadata[METADATA]))
        trials["status"]
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable(path, error) from None
    return Results(trials, described, path.parent)


def _read(path: Path) -> pa.Table:
    try:
        return pq.read_table(path, partitioning=None, page_checksum_verification=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> NoTable:
    return NoTable(f"{path} cannot be read: {error}\n  fix: run the sweep again; it writes the file anew")
