"""The paper's figure 4: the rank of F in every adapted layer, for every row."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from analysis.figures.cells import colour_bar
from analysis.figures.layers import profiles
from analysis.figures.style import SMALL, sheet
from analysis.results import Results

LINE = 0.17
"""Inches of a row."""
AROUND = 0.75
"""Inches above and below the rows."""


def draw(results: Results) -> Figure | None:
    """Numerical rank of F, a line of cells per row and a cell per layer.

    A cell is the mean over the classes of a trial, averaged over the trials of the row; a layer that the row does not
    adapt is left blank. At the right stands the largest rank over layers, classes and trials.
    """
    found = profiles(results, "ranks", "rank")
    if found is None:
        return None
    measured, places = found
    width = max(places.by_name.values()) + 1
    cells = np.full((len(measured), width), np.nan)
    for line, each in enumerate(measured):
        cells[line, each.places.astype(int)] = each.mean
    figure, (axes,) = sheet(AROUND + LINE * len(measured))
    top = max(float(np.nanmax(cells)), 2.0)
    image = axes.imshow(np.ma.masked_invalid(cells), aspect="auto", vmin=0.0, vmax=top)
    axes.set_yticks(range(len(measured)), [each.row.told(each.n) for each in measured])
    axes.grid(visible=False)
    axes.tick_params(axis="y", length=0)
    for line, each in enumerate(measured):
        axes.text(width, line, f"{each.largest:g}", ha="left", va="center", fontsize=SMALL)
    places.mark(axes)
    colour_bar(figure, image, axes, "rank of F (at the right: the largest)")
    return figure
