"""The paper's figure 4: the rank of F in every adapted layer of every row."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from analysis.figures.cells import colour_bar
from analysis.figures.style import SMALL, sheet
from analysis.results import Results
from trainables.funlora.figures.layers import Places, profile
from trainables.funlora.figures.measured import measured_rows

LINE = 0.17
"""Height of a row in inches."""
AROUND = 0.95
"""Inches above and below the rows."""


def draw(results: Results) -> Figure | None:
    """Draw the numerical rank of F, a line of cells per row and a cell per layer.

    A cell is the mean over the classes of a trial, averaged over the trials of the row; a layer that the row does not
    adapt is blank. On the right is the largest rank over layers, classes and trials. Rows with identical ranks are
    merged.
    """
    measured = measured_rows(results, "ranks")
    if not measured:
        return None
    places = Places.of(measured)
    profiles = [profile(each, "rank", places) for each in measured]
    cells = np.full((len(profiles), places.last + 1), np.nan)
    for line, each in enumerate(profiles):
        cells[line, each.places.astype(int)] = each.mean
    figure, (axes,) = sheet(AROUND + LINE * len(measured))
    top = max(float(np.nanmax(cells)), 2.0)
    image = axes.imshow(np.ma.masked_invalid(cells), aspect="auto", vmin=0.0, vmax=top)
    axes.set_yticks(range(len(profiles)), [each.label for each in profiles])
    axes.set_xlim(places.first - 0.5, places.last + 0.5)
    axes.grid(visible=False)
    axes.tick_params(axis="y", length=0)
    for line, each in enumerate(profiles):
        axes.text(places.last + 1, line, f"{each.largest:g}", ha="left", va="center", fontsize=SMALL)
    places.mark(axes)
    colour_bar(figure, image, axes, "rank of F (on the right: the largest)", integer=True)
    return figure
