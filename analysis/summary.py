"""A sweep's table: its rows, published values, ranks, comparisons, and notes on missing trials."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from analysis.findings import findings
from analysis.pairs import Comparison, comparisons
from analysis.published import Published, published_table
from analysis.results import Description, NoTable, Results
from analysis.rows import NOT_RUN, Row, aggregate

NAMED = 4
"""Unfinished trials with the same cause that a note names at most; it counts the rest."""
STATES = ("trial", "status", "cause")


@dataclass(frozen=True)
class Summary:
    """A table with its notes: findings of a search, lost published values, and missing trials with their causes."""

    described: Description
    rows: Sequence[Row]
    published: Sequence[str]
    """Columns that the published table has."""
    heading: str
    """Heading of published columns, after that of their own column."""
    notes: Sequence[str]
    comparisons: Sequence[Comparison]
    """Comparisons with the baseline, if there is one, for every metric with a better direction."""

    @property
    def name(self) -> str:
        """Name of the sweep."""
        return self.described.name

    @property
    def columns(self) -> Sequence[str]:
        """Names of the table's columns."""
        return self.described.columns

    @cached_property
    def ranks(self) -> Mapping[tuple[int, str], int]:
        """1 for the best and 2 for the second row of a column, by row and column.

        Bounds and rows with missing trials are not ranked. Rows with the same printed value have the same rank.
        """
        return dict(_ranks(self.described, self.rows))

    @cached_property
    def printed_decimals(self) -> Mapping[str, int]:
        """Decimals of the published values by column: those of the value that has most."""
        values = {name: [row.published[name] for row in self.rows] for name in self.published}
        return {name: max(map(_decimals, found)) for name, found in values.items()}


def summarise(results: Results) -> Summary:
    """Group the trials of a sweep by its table's row names and average over the rest.

    Raises NoTable for a name that the results lack, and for an unknown published table.
    """
    described = results.described
    trials, published = _trials(results), _published(described)
    names, columns = described.rows, described.columns
    rows = [
        Row(axes, cells, _looked_up(published, columns, axes), axes.get("case") in described.bounds)
        for axes, cells in aggregate(trials, names, columns, nested=results.search is None)
    ]
    compared = list(comparisons(trials, described, rows))
    rows += _others(published, names[0], columns)
    known = [name for name in columns if published and name in published.columns]
    found = findings(results.search) if results.search else ()
    notes = [*found, *_notes(trials, described, published)]
    return Summary(described, rows, known, published.heading if published else "", notes, compared)


def _trials(results: Results) -> pa.Table:
    """Read the columns that the table needs, null for a number without measurements so far. Raises NoTable."""
    described, there = results.described, set(results.columns)
    wanted = [*STATES, *described.rows, *described.columns, *described.design, *described.seeds]
    trials = results.read(name for name in wanted if name in there)
    unknown = [name for name in [*described.rows, *described.columns] if name not in there]
    finished = pc.any(pc.equal(trials["status"], "finished")).as_py()
    if unknown and (finished or unknown[0] in described.rows):
        raise NoTable(f"the table of {described.name} lists '{unknown[0]}', which its results do not have")
    for name in unknown:
        trials = trials.append_column(name, pa.nulls(len(trials), pa.float64()))
    for name in (name for name in trials.column_names if pa.types.is_nested(trials[name].type)):
        as_text = pa.array([json.dumps(value) for value in trials[name].to_pylist()])
        trials = trials.set_column(trials.column_names.index(name), name, as_text)
    return trials


def _decimals(value: float | None) -> int:
    return len(f"{value:.6g}".partition(".")[2]) if isinstance(value, float) else 0


def _ranks(described: Description, rows: Sequence[Row]) -> Iterator[tuple[tuple[int, str], int]]:
    for name in described.columns:
        number = described.number(name)
        if number.better is None:
            continue
        sign = -1 if number.better == "higher" else 1
        rivals = {
            place: round(sign * cell.mean, number.decimals)
            for place, row in enumerate(rows)
            if (cell := row.cells[name]).whole and cell.mean is not None and math.isfinite(cell.mean) and not row.bound
        }
        if len(rivals) > 1:
            best = sorted(set(rivals.values()))[:2]
            yield from (((place, name), best.index(mean) + 1) for place, mean in rivals.items() if mean in best)


def _notes(trials: pa.Table, described: Description, published: Published | None) -> Iterator[str]:
    if published:
        lost = [described.number(name).title for name in described.columns if name in published.lost]
        yield published.note + (f"; lost: {', '.join(lost)}" if lost and published.values else "")
    if described.baseline:
        yield f"baseline: {', '.join(f'{name} {value}' for name, value in described.baseline.items())}"
    unfinished = trials.filter(pc.not_equal(trials["status"], "finished"))
    by_cause: dict[str, list[str]] = {}
    for trial, cause in zip(unfinished["trial"].to_pylist(), unfinished["cause"].to_pylist(), strict=True):
        by_cause.setdefault(cause, []).append(trial)
    for cause, labels in by_cause.items():
        more = f" and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
        yield f"{', '.join(labels[:NAMED])}{more}: {cause}"


def _published(described: Description) -> Published | None:
    if described.published is None:
        return None
    try:
        return published_table(described.published, described.preset)
    except KeyError:
        raise NoTable(
            f"unknown published values '{described.published}'\n  fix: use a table of analysis/published"
        ) from None


def _others(published: Published | None, name: str, columns: Sequence[str]) -> list[Row]:
    """Return rows of the paper that this project does not run."""
    nothing = dict.fromkeys(columns, NOT_RUN)
    return [
        Row({name: other}, nothing, _looked_up(published, columns, {name: other}))
        for other in (published.others if published else ())
    ]


def _looked_up(published: Published | None, columns: Sequence[str], axes: Mapping[str, Any]) -> dict[str, float | None]:
    return {name: _lookup(published.values if published else {}, name, axes) for name in columns}


def _lookup(published: Mapping[str, Any], column: str, axes: Mapping[str, Any]) -> float | None:
    found: Any = published.get(column)
    for value in axes.values():
        found = found.get(value) if isinstance(found, dict) else None
    return found if isinstance(found, int | float) else None
