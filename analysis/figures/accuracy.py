"""Accuracy on all classes seen so far, after every task."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.figures.groups import Array, Group, Values, groups_of, over_trials, stacked
from analysis.figures.panels import Panel, legend_of, panel_sheet, panels_of
from analysis.figures.style import WIDTH
from analysis.results import Results

MANY = 20
"""Rows above which points are rasterised, to keep vector files small."""
APART, SPREAD = 0.05, 0.4
"""Offsets as shares of the distance between tasks: between neighbouring rows, so that none hides another, and of all
rows at most."""


def draw(results: Results) -> Figure | None:
    """Draw a line per row: mean and standard deviation of the accuracy after every task over its finished trials."""
    measured, panels = panels_with_accuracies(results)
    if not panels:
        return None
    figure, places = panel_sheet(panels, WIDTH * 0.62, below="task", left="accuracy, %")
    for panel, axes in zip(panels, places, strict=True):
        for index, line in enumerate(panel.lines):
            mean, std = over_trials(measured[line.row.values])
            beside = (index - (len(panel.lines) - 1) / 2) * min(APART, SPREAD / len(panel.lines))
            axes.errorbar(
                np.arange(1, len(mean) + 1) + beside,
                mean,
                std,
                color=line.look.colour,
                marker=line.look.marker,
                linestyle=line.look.line,
                elinewidth=0.6,
                ecolor=(line.look.colour, 0.6),
                label=line.label,
                rasterized=len(measured) > MANY and line.look.rasters,
            )
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend_of(figure, panels, results.described.rows, {len(found) for found in measured.values()})
    return figure


def panels_with_accuracies(results: Results) -> tuple[dict[Values, Array], Sequence[Panel]]:
    """Return accuracies (n, tasks) by the row's values, and the panels of these rows; empty if none has any."""
    rows = [(row, found) for row in groups_of(results) if len(found := _accuracies(row))]
    panels = panels_of([(row, len(found)) for row, found in rows], results.described.rows) if rows else []
    return {row.values: found for row, found in rows}, panels


def _accuracies(row: Group) -> Array:
    """Return the accuracy in percent of a row's finished trials after every task (n, tasks); empty if none has any."""
    if "accuracy" not in row.finished.column_names:
        return np.empty((0, 0))
    values = row.finished["accuracy"].to_pylist()
    lists = [
        value for value in values if isinstance(value, list) and value
    ]  # a plain number is not a series over tasks
    return stacked(lists, [max(map(len, lists))]) if lists else np.empty((0, 0))
