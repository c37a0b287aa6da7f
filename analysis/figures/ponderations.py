"""The paper's figure 5: what the functions' ponderations and frequencies have become."""

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
from analysis.figures.groups import Array, groups_of
from analysis.figures.layers import Places, of_row
from analysis.figures.style import FONT, GREY, INK, sheet
from analysis.results import Results

MOST = 6
"""Rows that a page has room for."""
LINE = 1.15
"""Inches of a row."""
BY_LAYER = ListedColormap(colormaps["viridis"](np.linspace(0.1, 0.9, 256)))
"""Without its ends, which a dark or a white page swallows."""
Parts: TypeAlias = tuple[Array, Array, Array]
NUMBERS = {"lambda": "λ", "omega": "ω"}


def draw(results: Results) -> Figure | None:
    """Ponderation lambda and frequency omega by function, a line per layer, beside their initial values.

    Every point is a mean over the classes and trials of a row. Where a page has no room for all rows, those with the
    most layers are shown. Shifts have no frequency.
    """
    measure = results.beside("measures/functions")
    if measure is None or not len(measure):
        return None
    found = [(row, table) for row in groups_of(results) if len(table := of_row(measure, row))]
    layers = {row.values: pc.count_distinct(table["name"]).as_py() for row, table in found}
    kept = sorted(found, key=lambda each: -layers[each[0].values])[:MOST]
    if len(found) > MOST:
        kept = [each for each in kept if layers[each[0].values] == layers[kept[0][0].values]]
    places = Places.of(measure)
    figure, panels = sheet(0.7 + LINE * len(kept), len(kept), 2, sharex=True)
    scale = Normalize(0, max(1, *places.by_name.values()))
    for index, (row, table) in enumerate(kept):
        left, right = panels[2 * index : 2 * index + 2]
        for axes, name in zip((left, right), NUMBERS, strict=True):
            _fan(axes, table, name, places, scale)
        left.set_title(row.told(pc.count_distinct(table["trial"]).as_py()))
    for axes in panels[-2:]:
        axes.set_xlabel("function")
    less = "" if len(kept) == len(found) else f" ({len(kept)} of {len(found)} rows: those with the most layers)"
    colour_bar(figure, ScalarMappable(scale, BY_LAYER), panels, f"layer; dashed: initial value{less}")
    return figure


def _fan(axes: Axes, table: pa.Table, name: str, places: Places, scale: Normalize) -> None:
    axes.set_ylabel(NUMBERS[name])
    means = _means(table, name, places)
    if not means:
        axes.text(
            0.5, 0.5, "no frequency", color=GREY, fontsize=FONT, ha="center", va="center", transform=axes.transAxes
        )
        axes.set_yticks([])
        return
    lines = LineCollection(
        [np.column_stack(points[:2]) for points in means.values()],
        array=list(means), cmap=BY_LAYER, norm=scale, linewidths=0.5, alpha=0.8, rasterized=True, gid=name,
    )  # fmt: skip
    axes.add_collection(lines)
    function, _, initial = next(iter(means.values()))
    axes.plot(
        function, initial, color=INK, linestyle="--", linewidth=0.8, marker="o", markersize=2.5,
        markerfacecolor="none", markeredgewidth=0.6, gid=f"initial_{name}",
    )  # fmt: skip
    axes.autoscale_view()
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _means(table: pa.Table, name: str, places: Places) -> dict[int, Parts]:
    """By the layer's place: functions from 1, and their means and initial means over classes and trials."""
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
