"""Learning curves of every stage function that logged any, a line per row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures.groups import Array, Group, groups_of
from analysis.figures.keys import crossed, values_of
from analysis.figures.style import COLOURS, GREY, WIDTH, Look, legend_below, sheet
from analysis.results import Results

WIDE = 30
"""Ratio of the largest to the smallest value above which the axis is logarithmic."""
SHARES = np.linspace(0, 100, 101)
"""Percent of the steps at which curves of unequal length are compared."""
ALL = "all rows"
SOME = "shared by some rows"
Curve: TypeAlias = tuple[Array, Array]
"""Steps, and the values there."""


@dataclass(frozen=True)
class Line:
    """The curves of stages that the same rows need, drawn once as their mean."""

    users: tuple[int, ...]
    """Indices of the rows."""
    curves: Sequence[Curve]


def draw(results: Results) -> Figure | None:
    """Draw a panel per stage function and metric: the mean over classes, tasks and seeds of each row's curves.

    Only stages of finished trials count. A stage that several rows need is not part of their own lines, but of a
    shared one. Curves of unequal length are compared at equal shares of their steps.
    """
    rows = [row for row in groups_of(results) if len(row.finished)]
    panels = _panels(results, rows)
    if not panels:
        return None
    figure, places = sheet(WIDTH * 0.5 * len(panels), len(panels))
    handles: dict[str, Line2D] = {}
    for axes, ((stage, metric), lines) in zip(places, panels.items(), strict=True):
        together = _same_steps(lines)
        for line in lines:
            label, look, width = _told(line, rows)
            steps, values = _mean(line.curves, together)
            axes.plot(
                steps,
                values,
                color=look.colour,
                linestyle=look.line,
                linewidth=width,
                label=label,
                rasterized=look.rasters,
            )
            handles.setdefault(label, Line2D([], [], color=look.colour, linestyle=look.line, label=label))
        axes.set(title=stage.replace("_", " "), ylabel=metric, xlabel="step" if together else "share of the steps, %")
        _scale(axes)
    rows_first = sorted(handles, key=(SOME, ALL).__contains__)
    names = results.described.rows[: 1 if crossed(rows) else None]
    legend_below(figure, [handles[label] for label in rows_first], " · ".join(names))
    return figure


def _panels(results: Results, rows: Sequence[Group]) -> dict[tuple[str, str], list[Line]]:
    """Return lines by stage function and metric, in the order of the sweep's stages."""
    stages, curves = results.beside("stages"), results.beside("curves")
    if stages is None or curves is None:
        return {}
    users: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        for key in dict.fromkeys(key for keys in row.finished["stages"].to_pylist() for key in keys):
            users.setdefault(key, []).append(index)
    found: dict[tuple[str, str], dict[tuple[int, ...], list[Curve]]] = {}
    functions = dict(zip(stages["key"].to_pylist(), stages["stage"].to_pylist(), strict=True))
    for (key, metric), curve in _by_stage(curves.to_pydict()).items():
        if key in users and key in functions:
            found.setdefault((functions[key], metric), {}).setdefault(tuple(users[key]), []).append(curve)
    return {panel: [Line(*each) for each in sorted(lines.items())] for panel, lines in found.items()}


def _by_stage(curves: Mapping[str, Sequence[Any]]) -> dict[tuple[str, str], Curve]:
    points: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for key, metric, step, value in zip(*(curves[name] for name in ("key", "metric", "step", "value")), strict=True):
        points.setdefault((key, metric), []).append((step, value))
    return {place: tuple(np.array(sorted(each), float).T) for place, each in points.items()}


def _same_steps(lines: Iterable[Line]) -> bool:
    return len({tuple(steps) for line in lines for steps, _ in line.curves}) == 1


def _mean(curves: Sequence[Curve], together: bool) -> Curve:
    if together:
        return curves[0][0], np.mean([values for _, values in curves], axis=0)
    return SHARES, np.mean([np.interp(SHARES, 100 * steps / steps[-1], values) for steps, values in curves], axis=0)


def _told(line: Line, rows: Sequence[Group]) -> tuple[str, Look, float]:
    """Return label, style and width of a line: of a row, of a value of the first name, or of shared stages."""
    if len(line.users) == len(rows) > 1:
        return ALL, Look(GREY, "", "-"), 1.4
    if len(line.users) > 1:
        return SOME, Look(GREY, "", ":"), 0.8
    row = rows[line.users[0]]
    if not crossed(rows):
        return row.told(len(row.finished)), Look.of(line.users[0]), 0.9
    first = values_of(rows, 0)
    return str(row.values[0]), Look(COLOURS[first.index(row.values[0])], "", "-"), 0.5


def _scale(axes: Axes) -> None:
    values = np.concatenate([np.asarray(line.get_ydata(), float) for line in axes.lines])
    known = values[np.isfinite(values)]
    if len(known) and known.min() > 0 and known.max() > WIDE * known.min():
        axes.set_yscale("log")
