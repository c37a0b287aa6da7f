"""Rows as lines, in one panel or, for many rows with two names, in a panel per value of the first name."""

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
    """A row's line with its label in the legend and its style."""

    row: Group
    label: str
    look: Look


@dataclass(frozen=True)
class Panel:
    """Lines that share axes. The title is empty if there is only one panel."""

    title: str
    lines: Sequence[Line]


def panels_of(shown: Sequence[tuple[Group, int]], names: Sequence[str]) -> list[Panel]:
    """Distribute rows over panels: one for few rows or rows of one name, else one per value of all names but the last.

    If that would be a panel for nearly every row, as in a search, there is only one panel.

    Args:
        shown: rows, each with the number of its averaged trials.
        names: the row names.
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
    """Return the panel's values, and its incomplete rows, as the legend is common to all panels."""
    told = [row.told(n, str(row.values[-1])) for row, n in rows if n != row.trials]
    head = " · ".join(f"{name} {value}" for name, value in zip(names, values, strict=False))
    return "\n".join([head, *told])


def panel_sheet(panels: Sequence[Panel], height: float, below: str, left: str) -> tuple[Figure, list[Axes]]:
    """Create a figure with its panels, side by side if there are more than two.

    Args:
        panels: the content of the panels.
        height: height of a full-width panel in inches.
        below, left: labels of their axes.
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
    """Add a legend of all panels below them, with an entry per label.

    Args:
        figure: the figure.
        panels: its panels.
        names: the row names.
        n: distinct numbers of trials that rows are averaged over; shown in the title if there is only one.
    """
    handles: dict[str, Artist] = {}
    for line in (line for panel in panels for line in panel.lines):
        look = line.look
        handles[line.label] = Line2D(
            [], [], color=look.colour, marker=look.marker, linestyle=look.line, label=line.label
        )
    title = " · ".join(names if len(panels) == 1 else names[-1:])
    legend_below(figure, list(handles.values()), f"{title} (n={min(n)})" if len(n) == 1 else title)
