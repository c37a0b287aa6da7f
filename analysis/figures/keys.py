"""Styles that distinguish rows, and the legend entries for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from matplotlib.artist import Artist
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis.figures.groups import Group, Values
from analysis.figures.style import COLOURS, INK, LINES, MARKERS, Look

TOGETHER = 8
"""Rows with two names up to which each has a legend entry; with more, each value of a name has one."""
Looks: TypeAlias = Mapping[Values, Look]


def values_of(rows: Sequence[Group], place: int) -> list[Any]:
    """Return the distinct values of one of the rows' names, in order."""
    return list(dict.fromkeys(row.values[place] for row in rows))


def crossed(rows: Sequence[Group]) -> bool:
    """Check whether rows are styled by a colour per value of the first name and a marker per value of the second."""
    if len(rows) <= TOGETHER or len(rows[0].values) != 2:
        return False
    return len(values_of(rows, 0)) <= len(COLOURS) and len(values_of(rows, 1)) <= len(MARKERS)


def looks_of(rows: Sequence[Group]) -> dict[Values, Look]:
    """Return the styles of rows by their values."""
    if not crossed(rows):
        return {row.values: Look.of(index) for index, row in enumerate(rows)}
    first, second = values_of(rows, 0), values_of(rows, 1)
    places = {row.values: (first.index(row.values[0]), second.index(row.values[1])) for row in rows}
    return {values: Look(COLOURS[one], MARKERS[other], LINES[0]) for values, (one, other) in places.items()}


def bounded_looks(rows: Sequence[Group]) -> dict[Values, Look]:
    """Return the styles of rows and bounds by their values, numbered separately."""
    rivals, limits = [row for row in rows if not row.bound], [row for row in rows if row.bound]
    looks = {row.values: Look.limit(index) for index, row in enumerate(limits)}
    return {row.values: Look.of(index) for index, row in enumerate(rivals)} | looks


def entries(rows: Sequence[Group], looks: Looks, names: Mapping[Values, str]) -> list[Artist]:
    """Return a legend's entries: rows by their given names, or colours and markers by their values."""
    if not crossed(rows):
        return [_mark(looks[axes].colour, looks[axes].marker, name) for axes, name in names.items()]
    by_first = {row.values[0]: looks[row.values].colour for row in rows}
    by_second = {row.values[1]: looks[row.values].marker for row in rows}
    colours = [Patch(color=colour, label=str(value)) for value, colour in by_first.items()]
    return [*colours, *(_mark(INK, marker, str(value)) for value, marker in by_second.items())]


def heading(rows: Sequence[Group], names: Sequence[str]) -> str:
    """Return the title of the legend: the row names."""
    return f"colour: {names[0]}, marker: {names[1]}" if crossed(rows) else " · ".join(names)


def _mark(colour: str, marker: str, label: str) -> Line2D:
    return Line2D([], [], color=colour, marker=marker, linestyle="none", label=label)
