"""The accuracy matrix: accuracy after every task on the images of every task so far."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from analysis.figures.cells import colour_bar, write_cells
from analysis.figures.groups import Array, Group, Values, groups_of, main_metric, over_trials, spread, stacked
from analysis.figures.style import WIDTH, sheet
from analysis.results import Results

BELOW = 0.65
"""Inches for the colour bar."""
MAX_ROWS = 4
"""Rows that are shown at most."""


def draw(results: Results) -> Figure | None:
    """Draw the accuracy after task i (down) on the images of task j (across), mean over a row's finished trials.

    Of more than four rows, only the baseline and the best by the table's first metric are shown, where the best is
    chosen among complete rows that are not bounds.
    """
    measured = [(row, matrices) for row in groups_of(results) if len(matrices := _matrices(row))]
    if not measured:
        return None
    shown = measured
    if len(measured) > MAX_ROWS:
        kept = _chosen(results, [group for group, _ in measured])[:MAX_ROWS]
        shown = [each for each in measured if each[0].values in kept] or measured[:1]
    across = min(2, len(shown))
    down = -(-len(shown) // across)
    figure, panels = sheet(BELOW + down * WIDTH * (0.53 if across > 1 else 0.6), down, across)
    means = [over_trials(matrices)[0] for _, matrices in shown]
    limits = float(min(map(np.nanmin, means))), float(max(map(np.nanmax, means)))
    for index, (axes, (row, matrices), mean) in enumerate(zip(panels, shown, means, strict=False)):
        image = _matrix(axes, mean, limits, WIDTH / across)
        axes.set_title(row.told(len(matrices)))
        axes.set_ylabel("" if index % across else "after task")
    for spare in panels[len(shown) :]:
        spare.remove()
    title = "accuracy on the images of a task (across), %"
    less = "" if len(shown) == len(measured) else f"\n{_kept(results, len(shown), len(measured))}"
    colour_bar(figure, image, panels[: len(shown)], title + less)
    return figure


def _kept(results: Results, shown: int, rows: int) -> str:
    metric = main_metric(results)
    best = [f"the best by {results.described.number(metric).title}"] if metric else []
    return f"{shown} of {rows} rows: {' and '.join([*best, *(['the baseline'] if results.described.baseline else [])])}"


def _matrices(row: Group) -> Array:
    """Return the matrices of a row's finished trials (n, tasks, tasks), nan above the diagonal."""
    if "accuracy_matrix" not in row.finished.column_names:
        return np.empty((0, 0, 0))
    found = [value for value in row.finished["accuracy_matrix"].to_pylist() if value]
    return stacked(found, [max(map(len, found))] * 2) if found else np.empty((0, 0, 0))


def _chosen(results: Results, groups: Sequence[Group]) -> list[Values]:
    """Return the values of the best row, and of the baseline's rows."""
    described, metric = results.described, main_metric(results)
    if metric is None:
        return _baselines(results, groups)
    found = {group.values: spread(group, metric) for group in groups if not group.bound}
    rivals = {values: each.mean for values, each in found.items() if each and each.whole}
    pick = max if described.number(metric).better == "higher" else min
    best = [pick(rivals, key=lambda values: rivals[values])] if rivals else []
    return [*best, *_baselines(results, groups)]


def _baselines(results: Results, groups: Sequence[Group]) -> list[Values]:
    """Return the values of the rows that match the baseline in the names that both have."""
    names = results.described.rows
    wanted = {name: value for name, value in results.described.baseline.items() if name in names}
    named = [(group.values, dict(zip(names, group.values, strict=True))) for group in groups]
    return [values for values, each in named if wanted and wanted.items() <= each.items()]


def _matrix(axes: Axes, mean: Array, limits: tuple[float, float], width: float) -> AxesImage:
    tasks = len(mean)
    image = axes.imshow(np.ma.masked_invalid(mean), vmin=limits[0], vmax=limits[1])
    axes.grid(visible=False)
    axes.set_xticks(range(tasks), map(str, range(1, tasks + 1)))
    axes.set_yticks(range(tasks), map(str, range(1, tasks + 1)))
    texts = [["" if np.isnan(value) else f"{value:.0f}" for value in line] for line in mean]
    write_cells(axes, image, texts, width * 0.8 / tasks)
    return image
