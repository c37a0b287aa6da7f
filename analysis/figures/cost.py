"""Accuracy against cost, with the Pareto front of the rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures.groups import Group, Spread, groups_of, main_metric, spread
from analysis.figures.keys import Looks, entries, heading, looks_of
from analysis.figures.scales import scale
from analysis.figures.style import FRONT, INK, WIDTH, Look, legend_below, sheet
from analysis.front import front
from analysis.results import Results

COSTS = ("ppc", "seconds")


@dataclass(frozen=True)
class Point:
    """A row with its cost, its value of the metric and its style."""

    row: Group
    cost: Spread
    value: Spread
    look: Look

    @property
    def whole(self) -> bool:
        """True if all its trials have both."""
        return self.cost.whole and self.value.whole


@dataclass(frozen=True)
class Plot:
    """The content of the figure."""

    metric: str
    points: Mapping[str, Sequence[Point]]
    """Points of the ranked rows, by the costs in which they differ."""
    rivals: Sequence[Group]
    looks: Looks
    limits: Mapping[Group, Spread]
    """Rows that are upper or lower bounds, with their value of the metric."""


def draw(results: Results) -> Figure | None:
    """Draw the table's first metric against parameters per class and against seconds, a panel each.

    A point is a row: mean and standard deviation over its finished trials. A row that lacks trials is hollow and not
    part of the Pareto front, which joins complete rows only. A bound is a horizontal line. A cost that is the same in
    all rows is left out, and so is one that is an objective of a search together with the metric: the search's own
    front shows the two.
    """
    plot = plot_of(results)
    if plot is None:
        return None
    number = results.described.number
    figure, panels = sheet(WIDTH * 0.6 * len(plot.points), len(plot.points), sharey=True)
    for axes, (cost, points) in zip(panels, plot.points.items(), strict=True):
        _draw_points(axes, points)
        if joined := front_of(points, number(plot.metric).better == "higher"):
            axes.plot(*zip(*joined, strict=True), drawstyle="steps-post", gid="front", zorder=2, **FRONT)
        for index, value in enumerate(plot.limits.values()):
            look = Look.limit(index)
            axes.axhline(value.mean, color=look.colour, linestyle=look.line, zorder=1, gid="limit")
        axes.set(xlabel=number(cost).title, ylabel=number(plot.metric).title)
    points = max(plot.points.values(), key=len)
    named = {each.row.values: each.row.told(each.value.n) for each in points}
    handles = [*entries(plot.rivals, plot.looks, named), *_further(points, plot.limits)]
    legend_below(figure, handles, heading(plot.rivals, results.described.rows))
    return figure


def plot_of(results: Results) -> Plot | None:
    """Return the content of the figure; None if no metric is measured, or rows do not differ in costs."""
    metric = main_metric(results)
    if metric is None:
        return None
    measured = {row: value for row in groups_of(results) if (value := spread(row, metric))}
    rivals = [row for row in measured if not row.bound]
    looks, limits = looks_of(rivals), {row: value for row, value in measured.items() if row.bound}
    searched = set(results.search.objectives if results.search else ())
    wanted = [cost for cost in COSTS if not {metric, cost} <= searched]
    costs = {cost: list(_points(measured, rivals, looks, cost)) for cost in wanted}
    shown = {cost: points for cost, points in costs.items() if len({each.cost.mean for each in points}) > 1}
    return Plot(metric, shown, rivals, looks, limits) if shown else None


def front_of(points: Sequence[Point], higher: bool) -> list[tuple[float, float]]:
    """Return cost and value of the complete rows on the Pareto front."""
    rivals = [(each.cost.mean, each.value.mean) for each in points if each.whole]
    return [rivals[index] for index in front(rivals, ["minimise", "maximise" if higher else "minimise"])]


def _points(measured: dict[Group, Spread], rivals: Sequence[Group], looks: Looks, cost: str) -> Iterator[Point]:
    for row in rivals:
        if found := spread(row, cost):
            yield Point(row, found, measured[row], looks[row.values])


def _draw_points(axes: Axes, points: Sequence[Point]) -> None:
    for each in points:
        axes.errorbar(
            each.cost.mean,
            each.value.mean,
            each.value.std,
            each.cost.std,
            color=each.look.colour,
            marker=each.look.marker,
            linestyle="none",
            elinewidth=0.6,
            ecolor=(each.look.colour, 0.6),
            zorder=3,
            markerfacecolor=each.look.colour if each.whole else "none",
            label=each.row.label,
        )
    scale(axes, [each.cost.mean for each in points])


def _further(points: Sequence[Point], limits: Mapping[Group, Spread]) -> Iterator[Artist]:
    """Yield the legend's entries for the front, hollow points and bounds."""
    if any(each.whole for each in points):
        yield Line2D([], [], label="Pareto front", **FRONT)
    if not all(each.whole for each in points):
        yield Line2D(
            [], [], color=INK, marker="o", markerfacecolor="none", linestyle="none", label="hollow: trials missing"
        )
    for index, (row, value) in enumerate(limits.items()):
        look = Look.limit(index)
        yield Line2D([], [], color=look.colour, linestyle=look.line, label=f"limit: {row.told(value.n)}")
