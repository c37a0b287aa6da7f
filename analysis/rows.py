"""The rows of a table: a sweep's trials grouped by the table's row names, and averaged over the seeds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.results import NoTable

Record: TypeAlias = dict[str, Any]
PARTS = ("mean", "stddev", "count", "min", "max")


@dataclass(frozen=True)
class Cell:
    """A number of a row over its seeds.

    ``mean`` and ``std`` (with n - 1) are None if undefined; ``n`` of ``trials`` trials have the value.
    """

    mean: float | None
    std: float | None
    n: int
    trials: int
    counted: bool
    """True if it is a whole number that is the same for every trial of the row."""
    failed: int = 0
    """Number of failed trials."""

    @property
    def whole(self) -> bool:
        """True if every trial of the row has the value."""
        return 0 < self.n == self.trials

    def text(self, decimals: int = 2) -> str:
        """Format as ``93.56 ± 2.20 (n=2)``, a counted number by itself, or the reason for a missing value."""
        if self.mean is None:
            return "failed" if self.failed else "missing" if self.trials else "not run"
        if self.counted and self.whole:
            return str(round(self.mean))
        count = f"n={self.n}" if self.whole else f"n={self.n} of {self.trials}"
        spread = f" ± {self.std:.{decimals}f}" if self.std is not None else ""
        return f"{round(self.mean, decimals) + 0.0:.{decimals}f}{spread} ({count})"  # no -0.00


NOT_RUN = Cell(None, None, 0, 0, counted=False)


@dataclass(frozen=True)
class Row:
    """A row of the table: the values of its names, its cells and the published values, by name."""

    axes: Mapping[str, Any]
    cells: Mapping[str, Cell]
    published: Mapping[str, float | None]
    bound: bool = False
    """True if it is an upper or lower bound, which is not ranked."""

    @property
    def label(self) -> str:
        """The row's values, such as ``0-64 · cosine``."""
        return labelled(self.axes.values())


def labelled(values: Iterable[Any]) -> str:
    """Join a row's values to its label."""
    return " · ".join(map(str, values))


def aggregate(
    trials: pa.Table, names: Sequence[str], columns: Sequence[str], *, nested: bool = True
) -> Iterator[tuple[dict[str, Any], dict[str, Cell]]]:
    """Yield the names' values and the columns' cells of every row, in the order of the trials.

    Args:
        trials: the trials to group.
        names: names whose values are the rows.
        columns: columns to average.
        nested: True to group rows by their first name, within that by their second, and so on.

    Raises NoTable if a column does not hold numbers.
    """
    keys = {name: trials[name] for name in names}
    values = {f"value.{name}": number(trials, name) for name in columns}
    counts = {"trials": pa.array(np.ones(len(trials), int)), "failed": pc.equal(trials["status"], "failed")}
    table = pa.table({**keys, **values, **counts})
    whole = {name for name in columns if pa.types.is_integer(trials[name].type)}
    wanted: list[tuple[Any, ...]] = [("trials", "sum"), ("failed", "sum")]
    for value in values:
        wanted += [(value, part, pc.VarianceOptions(ddof=1)) if part == "stddev" else (value, part) for part in PARTS]
    grouped = table.group_by(names, use_threads=False).aggregate(wanted)
    order = _nested if nested else _first_seen
    for record in order(grouped.to_pylist(), keys):
        cells = {}
        for name in columns:
            mean, std, n, low, high = (record[f"value.{name}_{part}"] for part in PARTS)
            counted = name in whole and low == high
            cells[name] = Cell(mean, std if n > 1 else None, n, record["trials_sum"], counted, record["failed_sum"])
        yield {name: record[name] for name in names}, cells


def _nested(records: list[Record], keys: Mapping[str, pa.ChunkedArray]) -> list[Record]:
    """Sort records by their first name, within that by their second, and so on, each in the order of the sweep."""
    places = {
        name: {value: place for place, value in enumerate(pc.unique(each).to_pylist())} for name, each in keys.items()
    }
    return sorted(records, key=lambda record: [places[name][record[name]] for name in keys])


def _first_seen(records: list[Record], keys: Mapping[str, pa.ChunkedArray]) -> list[Record]:
    """Sort records in the order of the trials, which Arrow's groups do not keep."""
    seen = dict.fromkeys(zip(*(each.to_pylist() for each in keys.values()), strict=True))
    places = {values: place for place, values in enumerate(seen)}
    return sorted(records, key=lambda record: places[tuple(record[name] for name in keys)])


def number(trials: pa.Table, name: str) -> pa.ChunkedArray:
    """Return a column as floating-point numbers. Raises NoTable if it does not hold numbers."""
    kind, types = trials[name].type, pa.types
    if not (types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind) or types.is_null(kind)):
        raise NoTable(f"column {name} holds {kind}, not numbers\n  fix: list metrics or facts in the table's columns")
    return trials[name].cast(pa.float64())
