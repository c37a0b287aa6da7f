"""The paper's figure 3: how far the adapters of every layer have moved from one."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from analysis.figures.layers import Profile, profiles
from analysis.figures.style import LIMIT, WIDTH, Look, legend_below, sheet
from analysis.results import Results

TOGETHER = 3
"""Rows whose deviations one panel still shows."""


def draw(results: Results) -> Figure | None:
    """Importance of every layer (equations 20-21), mean with standard deviation over classes.

    Both are taken over the classes of a trial and averaged over the trials of a row. Three rows or fewer lie over
    one another; of more, the first of those with the most layers is shown, as a reader asks which layers matter and
    not how the rows differ.
    """
    found = profiles(results, "importance", "importance")
    if found is None:
        return None
    measured, places = found
    shown = measured if len(measured) <= TOGETHER else [max(measured, key=lambda each: len(each.places))]
    figure, (axes,) = sheet(WIDTH * 0.55)
    handles = []
    for index, each in enumerate(shown):
        look = LIMIT if each.row.bound else Look.of(index)
        mean, std = each.mean, np.nan_to_num(each.std)
        axes.fill_between(each.places, mean - std, mean + std, color=look.colour, alpha=0.25, linewidth=0)
        handles += axes.plot(
            each.places, mean, color=look.colour, marker=look.marker, linestyle=look.line, markersize=2.2,
            label=_label(each, len(shown) < len(measured), results),
        )  # fmt: skip
    axes.set_ylabel("importance")
    axes.set_ylim(bottom=0)
    axes.margins(x=0.01)
    places.mark(axes)
    legend_below(figure, handles)
    return figure


def _label(profile: Profile, alone: bool, results: Results) -> str:
    label = f"{' · '.join(results.described.rows)} {profile.row.told(profile.n)}"
    return f"{label}, the row with the most layers" if alone else label
