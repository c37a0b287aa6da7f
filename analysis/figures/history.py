"""The best value or the hypervolume of a search after every suggestion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from analysis.figures.style import INK, WIDTH, Look, legend_below, sheet
from analysis.results import Results
from analysis.search import Study

ROOM = 0.06
"""Share of the axes' height for the pruned suggestions of a study."""


def draw(results: Results) -> Figure | None:
    """Draw the hypervolume, or the best value, by the number of the suggestion, a line per study.

    A tick at the bottom marks a pruned suggestion.
    """
    search = results.search
    if search is None or not search.chosen:
        return None
    figure, (axes,) = sheet(WIDTH * 0.6)
    looks = [Look.of(index) for index in range(len(search.studies))]
    for place, (study, look) in enumerate(zip(search.studies, looks, strict=True)):
        values = np.array(search.history(study), float)
        numbers = [each.number for each in study.suggestions]
        axes.plot(numbers, values, color=look.colour, linestyle=look.line, drawstyle="steps-post", label=study.label)
        height = ROOM * (len(looks) - place - 0.5)
        axes.plot(
            pruned(study),
            [height] * len(pruned(study)),
            color=look.colour,
            marker="|",
            markersize=5,
            linestyle="none",
            transform=axes.get_xaxis_transform(),
            gid="pruned",
        )
    low, high = axes.get_ylim()
    axes.set_ylim(low - (high - low) * ROOM * len(looks), high)
    axes.set(xlabel="suggestion", ylabel=measured(results))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
    handles = _entries(search.studies, looks)
    if handles:
        legend_below(figure, handles, "")
    return figure


def measured(results: Results) -> str:
    """Return the title of the quantity that the history shows."""
    objectives = list(results.search.objectives if results.search else ())
    return "hypervolume" if len(objectives) > 1 else f"best {results.described.number(objectives[0]).title}"


def pruned(study: Study) -> list[int]:
    """Return the numbers of a study's pruned suggestions."""
    return [each.number for each in study.of("pruned")]


def _entries(studies: Sequence[Study], looks: Sequence[Look]) -> list[Line2D]:
    """Return the legend's entries: for studies if there are several, and for ticks if there are any."""
    lines = [
        Line2D([], [], color=look.colour, linestyle=look.line, label=study.label)
        for study, look in zip(studies, looks, strict=True)
        if study.label
    ]
    if any(map(pruned, studies)):
        colour = INK if lines else looks[0].colour
        lines.append(
            Line2D([], [], color=colour, marker="|", markersize=5, linestyle="none", label="pruned suggestion")
        )
    return lines
