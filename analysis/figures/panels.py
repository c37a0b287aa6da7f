"""Rows as lines: all in one panel, or, where they are many and have two names, a panel per value of the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures.groups import Group
from analysis.figures.keys import TOGETHER, bounded_looks, values_of
from analysis.figures.style import WIDTH, Look, legend_below, sheet


@dataclass(frozen=True)
class Line:
    """A row's line: what the legend calls it, and how it looks."""

    row: Group
    label: str
    look: Look


@dataclass(frozen=True)
class Panel:
    """Lines that share axes. The title is empty where there is but one panel."""

    title: str
    lines: Sequence[Line]


def panels_of(shown: Sequence[tuple[Group, int]], names: Sequence[str]) -> list[Panel]:
    """One panel for few rows or rows of one name; else one per value of all names but the last, which lines are of.

    There is one panel too where that would be a panel for nearly every row, as of a search's.

    Args:
        shown: rows, each with the number of its trials that are averaged.
        names: of which the rows are.
    """
    firsts = {row.values[:-1] for row, _ in shown}
    if len(shown) <= TOGETHER or firsts == {()} or 2 * len(firsts) > len(shown):
        looks = bounded_looks([row for row, _ in shown])
        return [Panel("", [Line(row, row.told(n), looks[row.values]) for row, n in shown])]
    order = values_of([row for row, _ in shown], -1)
    grouped: dict[tuple[object, ...], list[tuple[Group, int]]] = {}
    for row, n in shown:
        grouped.setdefault(row.values[:-1], []).append((row, n))
    panels = []
    for values, rows in grouped.items():
        lines = [Line(row, str(row.values[-1]), Look.of(order.index(row.values[-1]))) for row, _ in rows]
        panels.append(Panel(_title(names, values, rows), lines))
    return panels


def _title(names: Sequence[str], values: Sequence[object], rows: Sequence[tuple[Group, int]]) -> str:
    """The panel's values, and its rows that are not whole, as the legend is of all panels."""
    told = [row.told(n, str(row.values[-1])) for row, n in rows if n != row.trials]
    head = " · ".join(f"{name} {value}" for name, value in zip(names, values, strict=False))
    return "\n".join([head, *told])


def panel_sheet(panels: Sequence[Panel], height: float, below: str, left: str) -> tuple[Figure, list[Axes]]:
    """A figure with a panel of this height (inches) each, two beside one another where there are more than two.

    Args:
        panels: what they will show.
        height: of a panel that stands alone.
        below, left: names of their axes.
    """
    across = 2 if len(panels) > 2 else 1
    down = -(-len(panels) // across)
    each = height if across == 1 else min(height, WIDTH / 2)
    figure, axes = sheet(down * each, down, across, sharex=True, sharey=True)
    for spare in axes[len(panels) :]:
        spare.remove()
    for index, (panel, place) in enumerate(zip(panels, axes, strict=False)):
        place.set_title(panel.title)
        place.set_ylabel("" if index % across else left)
        if index + across >= len(panels):
            place.tick_params(labelbottom=True)
        if index // across == down - 1:
            place.set_xlabel(below)
    return figure, axes[: len(panels)]


def legend_of(figure: Figure, panels: Sequence[Panel], names: Sequence[str], n: set[int]) -> None:
    """The legend of all panels below them, an entry per label.

    Args:
        figure: the figure.
        panels: its panels.
        names: of which the rows are.
        n: numbers of trials that rows are averaged over; said at the top where it is but one.
    """
    handles: dict[str, Artist] = {}
    for line in (line for panel in panels for line in panel.lines):
        look = line.look
        handles[line.label] = Line2D(
            [], [], color=look.colour, marker=look.marker, linestyle=look.line, label=line.label
        )
    title = " · ".join(names if len(panels) == 1 else names[-1:])
    legend_below(figure, list(handles.values()), f"{title} (n={min(n)})" if len(n) == 1 else title)
