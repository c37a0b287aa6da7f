"""The importance of searched names for each objective."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.figures.style import Look, legend_below, sheet
from analysis.findings import importances
from analysis.results import Results
from analysis.search import Search, Study

BAR, AROUND = 0.1, 0.45
"""Inches of a bar's height, and above and below a panel."""
FILLED = 0.8
"""Share of the height between two names that bars fill."""


def draw(results: Results) -> Figure | None:
    """Draw a panel per objective: the importance of every searched name, a bar per study, the largest on top."""
    search = results.search
    names = ordered(search) if search else []
    if search is None or not names:
        return None
    known = [study for study in search.studies if any(importances(search, study, each) for each in search.objectives)]
    height = max(len(known), 1.4) * BAR / FILLED * len(names)
    figure, panels = sheet(len(search.objectives) * (AROUND + height), len(search.objectives), sharex=True)
    looks = [Look.of(index) for index, _ in enumerate(known)]
    thick = FILLED / len(known)
    for axes, objective in zip(panels, search.objectives, strict=True):
        for index, (study, look) in enumerate(zip(known, looks, strict=True)):
            shares = importances(search, study, objective)
            places = [place - FILLED / 2 + (index + 0.5) * thick for place in range(len(names))]
            axes.barh(places, [shares.get(name, 0.0) for name in names], thick, color=look.colour)
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_title(results.described.number(objective).title)
    panels[-1].set_xlabel("importance")
    if len(known) > 1:
        legend_below(figure, _entries(known, looks), "")
    return figure


def ordered(search: Search) -> list[str]:
    """Return the names with a known importance, sorted by the mean over studies for the first objective with any."""
    sums: dict[str, float] = {}
    first = next((each.objective for each in search.importances), None)
    for each in search.importances:
        sums[each.name] = sums.get(each.name, 0.0) + (each.importance if each.objective == first else 0.0)
    return sorted(sums, key=lambda name: -sums[name])


def _entries(studies: Sequence[Study], looks: Sequence[Look]) -> list[Patch]:
    return [Patch(color=look.colour, label=study.label) for study, look in zip(studies, looks, strict=True)]
