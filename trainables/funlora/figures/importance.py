"""The paper's figure 3: the importance of every layer."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from analysis.figures.style import WIDTH, Look, legend_below, sheet
from analysis.results import Results
from trainables.funlora.figures.layers import Places, profile
from trainables.funlora.figures.measured import measured_rows

TOGETHER = 3
"""Rows that one panel shows at most."""


def draw(results: Results) -> Figure | None:
    """Draw the importance of every layer (equations 20-21), mean and standard deviation over classes.

    Both are taken over the classes of a trial and averaged over the trials of a row. Up to three rows are drawn over
    one another; of more, only the first with the most layers, since the figure is about layers and not about rows.
    """
    measured = measured_rows(results, "importance")
    if not measured:
        return None
    places = Places.of(measured)
    profiles = [profile(each, "importance", places) for each in measured]
    shown = profiles if len(profiles) <= TOGETHER else [max(profiles, key=lambda each: len(each.places))]
    figure, (axes,) = sheet(WIDTH * 0.55)
    handles = []
    for index, each in enumerate(shown):
        look, std = Look.of(index), np.nan_to_num(each.std)
        axes.fill_between(each.places, each.mean - std, each.mean + std, color=look.colour, alpha=0.25, linewidth=0)
        handles += axes.plot(
            each.places,
            each.mean,
            color=look.colour,
            marker=look.marker,
            linestyle=look.line,
            markersize=2.2,
            label=each.label,
        )
    axes.set_ylabel("importance")
    axes.set_ylim(bottom=0)
    axes.margins(x=0.01)
    places.mark(axes)
    less = "" if len(shown) == len(profiles) else f": the most layers of {len(profiles)} rows"
    legend_below(figure, handles, " · ".join(results.described.rows) + less)
    return figure
