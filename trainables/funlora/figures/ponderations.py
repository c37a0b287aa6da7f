"""The paper's figure 5: the learned ponderations and frequencies of the functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.figures.cells import colour_bar
from analysis.figures.groups import Array
from analysis.figures.style import GREY, INK, sheet
from analysis.results import Results
from trainables.funlora.figures.layers import Places
from trainables.funlora.figures.measured import measured_rows

MAX_ROWS = 6
"""Rows that are shown at most."""
LINE = 1.15
"""Height of a row in inches."""
BY_LAYER = ListedColormap(colormaps["viridis"](np.linspace(0.1, 0.9, 256)))
"""Colour map without its ends, which are illegible on dark or white pages."""
Parts: TypeAlias = tuple[Array, Array, Array]
NUMBERS = {"lambda": "λ", "omega": "ω"}


def draw(results: Results) -> Figure | None:
    """Draw ponderation lambda and frequency omega by function, a line per layer, with their initial values.

    Every point is a mean over the classes and trials of a row. If there are too many rows, those with the most layers
    are shown. Shifts have no frequency.
    """
    measured = measured_rows(results, "functions")
    if not measured:
        return None
    layers = [pc.count_distinct(each.table["name"]).as_py() for each in measured]
    shown = measured
    if len(measured) > MAX_ROWS:
        shown = [each for each, count in zip(measured, layers, strict=True) if count == max(layers)][:MAX_ROWS]
    places = Places.of(measured)
    figure, panels = sheet(0.75 + LINE * len(shown), len(shown), 2, sharex=True)
    scale = Normalize(places.first, max(places.last, places.first + 1))
    for index, each in enumerate(shown):
        for axes, name in zip(panels[2 * index :], NUMBERS, strict=False):
            _fan(axes, each.table, name, places, scale)
        panels[2 * index].set_title(each.label)
    for axes in panels[-2:]:
        axes.set_xlabel("function")
    less = "" if shown == measured else f"\n{len(shown)} of {len(measured)} rows: those with the most layers"
    colour_bar(figure, ScalarMappable(scale, BY_LAYER), panels, f"layer (dashed: initial value){less}", integer=True)
    return figure


def _fan(axes: Axes, table: pa.Table, name: str, places: Places, scale: Normalize) -> None:
    axes.set_ylabel(NUMBERS[name], rotation=0, ha="right", va="center")
    means = _means(table, name, places)
    if not means:
        axes.text(0.5, 0.5, f"no {NUMBERS[name]}", color=GREY, ha="center", va="center", transform=axes.transAxes)
        axes.set_axis_off()
        return
    lines = LineCollection(
        [np.column_stack(points[:2]) for points in means.values()],
        array=list(means),
        cmap=BY_LAYER,
        norm=scale,
        linewidths=0.5,
        rasterized=True,
        gid=name,
    )
    axes.add_collection(lines)
    function, _, initial = next(iter(means.values()))
    axes.plot(
        function,
        initial,
        color=INK,
        linestyle="--",
        linewidth=0.8,
        marker="o",
        markersize=2.5,
        markerfacecolor="none",
        markeredgewidth=0.6,
        gid=f"initial_{name}",
    )
    axes.autoscale_view()
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(4))


def _means(table: pa.Table, name: str, places: Places) -> dict[int, Parts]:
    """Return by position of the layer: functions from 1, their means and initial means over classes and trials."""
    known = table.filter(pc.is_valid(table[name]))
    wanted = [(name, "mean"), (f"initial_{name}", "mean")]
    grouped = known.group_by(["name", "function"], use_threads=False).aggregate(wanted).sort_by("function")
    found: dict[int, list[tuple[float, float, float]]] = {}
    for each in grouped.to_pylist():
        point = (each["function"], each[f"{name}_mean"], each[f"initial_{name}_mean"])
        found.setdefault(places.by_name[each["name"]], []).append(point)
    return {place: _parts(points) for place, points in sorted(found.items())}


def _parts(points: Sequence[tuple[float, float, float]]) -> Parts:
    function, now, initial = np.array(points, float).T
    return function, now, initial
