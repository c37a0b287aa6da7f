"""Printed tables, independent of the format: heads, lines of entries, and highlights."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from analysis.pairs import Comparison
from analysis.results import Number
from analysis.rows import Row
from analysis.summary import Summary

LOST = "—"
INTERVAL = "95 % interval"


@dataclass(frozen=True)
class Entry:
    """A printed cell."""

    text: str
    rank: Literal[0, 1, 2] = 0
    """1 for the best of its column, 2 for the second."""
    value: float | str | None = None
    """The value to sort by; None if there is none."""
    whole: bool = True
    """True if it includes every trial of the row."""


@dataclass(frozen=True)
class Line:
    """A line of entries."""

    entries: Sequence[Entry]
    apart: bool = False
    """True if a rule separates it from the lines above, with which it is not compared."""


@dataclass(frozen=True)
class Sheet:
    """A printed table."""

    title: str
    heads: Sequence[str]
    names: int
    """Number of leading columns that name the line."""
    lines: Sequence[Line]


def table_sheets(summary: Summary) -> list[Sheet]:
    """Return the table, or one grid for every column if the values of a name become columns."""
    if summary.described.across is None:
        return [_flat(summary)]
    return [sheet for column in summary.columns for sheet in _grids(summary, column)]


def comparison_sheets(summary: Summary) -> list[Sheet]:
    """Return a table of the differences from the baseline, paired by seed, for every compared column."""
    return [_comparison(summary, each) for each in summary.comparisons]


def _flat(summary: Summary) -> Sheet:
    heads = list(summary.described.rows)
    for name in summary.columns:
        title = summary.described.number(name).title
        heads += [title, f"{title} {summary.heading}"] if name in summary.published else [title]
    lines = []
    for place, row in enumerate(summary.rows):
        entries = [Entry(str(value), value=value) for value in row.axes.values()]
        for name in summary.columns:
            entries.append(_ours(summary, place, name))
            if name in summary.published:
                entries.append(_published(summary, place, name))
        lines.append(Line(entries, place > 0 and _group(row) != _group(summary.rows[place - 1])))
    return Sheet(summary.name, heads, len(summary.described.rows), lines)


def _group(row: Row) -> tuple[bool, bool]:
    return row.bound, all(cell.trials == 0 for cell in row.cells.values())


def _ours(summary: Summary, place: int, name: str) -> Entry:
    cell, number = summary.rows[place].cells[name], summary.described.number(name)
    rank: Any = summary.ranks.get((place, name), 0)
    return Entry(cell.text(number.decimals), rank, cell.mean, cell.whole)


def _published(summary: Summary, place: int, name: str) -> Entry:
    """Return a published value, with as many decimals as its column has; a dash if it is lost."""
    value = summary.rows[place].published[name]
    if value is None:
        return Entry(LOST)
    return Entry(f"{value:.{summary.printed_decimals[name]}f}", value=value)


def _grids(summary: Summary, column: str) -> Iterator[Sheet]:
    """Yield a grid of the sweep's values, and one of the published values if there are any."""
    described = summary.described
    down = [name for name in described.rows if name != described.across]
    title, across = described.number(column).title, str(described.across)
    places = {_place(row, down, across): index for index, row in enumerate(summary.rows)}
    heads = list(dict.fromkeys(head for _, head in places))
    sides = list(dict.fromkeys(side for side, _ in places))

    def grid(caption: str, entry: Any) -> Sheet:
        lines = [
            Line(
                [Entry(each, value=each) for each in side]
                + [entry(places[side, head]) if (side, head) in places else Entry("") for head in heads]
            )
            for side in sides
        ]
        return Sheet(f"{summary.name}: {caption}, by {across}", [*down, *map(str, heads)], len(down), lines)

    yield grid(title, lambda index: _ours(summary, index, column))
    if column in summary.published:
        yield grid(f"{title} {summary.heading}", lambda index: _published(summary, index, column))


def _place(row: Row, down: Sequence[str], across: str) -> tuple[tuple[str, ...], Any]:
    return tuple(str(row.axes[name]) for name in down if name in row.axes), row.axes.get(across)


def _comparison(summary: Summary, comparison: Comparison) -> Sheet:
    number, found = summary.described.number(comparison.column), comparison.differences
    lines = []
    for place, (row, baseline) in enumerate(zip(comparison.rows, comparison.baselines, strict=True)):
        names = [Entry(str(value), value=value) for value in summary.rows[row].axes.values()]
        lines.append(
            Line(
                [
                    *names,
                    Entry(summary.rows[baseline].label),
                    Entry(str(found.n[place]), value=int(found.n[place])),
                    _signed(float(found.mean[place]), number),
                    _interval(found.t_interval[place], number),
                    _interval(found.bootstrap_interval[place], number),
                    _p(float(found.p[place])),
                    _needed(float(found.needed[place])),
                ]
            )
        )
    heads = ["baseline", "pairs", "difference", f"{INTERVAL}, t", f"{INTERVAL}, bootstrap", "p (Holm)", "seeds needed"]
    title = f"{summary.name}: {number.title}, paired differences from the baseline"
    return Sheet(title, [*summary.described.rows, *heads], len(summary.described.rows) + 1, lines)


def _signed(value: float, number: Number) -> Entry:
    return Entry(_with_sign(value, number), value=value) if math.isfinite(value) else Entry("none")


def _interval(limits: Sequence[float], number: Number) -> Entry:
    low, high = map(float, limits)
    if not math.isfinite(low):
        return Entry("none")
    return Entry(f"{_with_sign(low, number)} to {_with_sign(high, number)}", value=low)


def _with_sign(value: float, number: Number) -> str:
    return f"{round(value, number.decimals) + 0.0:+.{number.decimals}f}"  # no -0.00


def _p(value: float) -> Entry:
    if not math.isfinite(value):
        return Entry("none")
    return Entry("< 0.001" if value < 0.001 else f"{value:.3f}", value=value)


def _needed(value: float) -> Entry:
    if math.isnan(value):
        return Entry("none")
    return Entry("> 1,000" if math.isinf(value) else f"{value:.0f}", value=value)
