"""The Pareto front of a search with several objectives, two of them at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures.scales import scale
from analysis.figures.style import FRONT, GREY, INK, WIDTH, Look, legend_below, sheet
from analysis.findings import reference
from analysis.front import is_finite
from analysis.results import Results
from analysis.search import Search, Suggestion


@dataclass(frozen=True)
class Cloud:
    """A study's finished suggestions in two objectives."""

    study: str
    look: Look
    finished: Sequence[Suggestion]
    front: Sequence[Suggestion]
    """The suggestions on the Pareto front, from left to right."""


@dataclass(frozen=True)
class Panel:
    """A plot of the first objective against another one."""

    below: str
    left: str
    clouds: Sequence[Cloud]
    origin: tuple[float, float]
    """The reference point."""

    def places(self, suggestions: Sequence[Suggestion]) -> dict[int, tuple[float, float]]:
        """Return the coordinates of suggestions by number, without those that lack a value."""
        found = {each.number: (each.values[self.below], each.values[self.left]) for each in suggestions}
        return {number: (x, y) for number, (x, y) in found.items() if is_finite(x) and is_finite(y)}

    @property
    def amounts(self) -> list[float]:
        """All values on the horizontal axis."""
        return [self.origin[0], *(x for cloud in self.clouds for x, _ in self.places(cloud.finished).values())]


def draw(results: Results) -> Figure | None:
    """Draw a panel for every objective but the first, which they share: finished suggestions, with the front ringed.

    A front of two objectives is joined by the line that bounds what was found. The reference point is that of the
    hypervolume.
    """
    search, panels = results.search, panels_of(results)
    if search is None or not panels:
        return None
    number = results.described.number
    figure, places = sheet(WIDTH * 0.62 * len(panels), len(panels), sharey=True)
    for axes, panel in zip(places, panels, strict=True):
        for cloud in panel.clouds:
            _draw_cloud(axes, panel, cloud, drawn_steps(search))
        axes.plot(*panel.origin, color=GREY, marker="X", markersize=5, linestyle="none", gid="reference")
        axes.set(xlabel=number(panel.below).title, ylabel=number(panel.left).title)
        scale(axes, panel.amounts)
    legend_below(figure, list(_entries(search, panels[0].clouds)), "")
    return figure


def panels_of(results: Results) -> list[Panel]:
    """Return the panels; empty for one objective, and before a suggestion has finished."""
    search = results.search
    if search is None or len(search.objectives) == 1 or not search.chosen:
        return []
    left, *others = search.objectives
    origin = search.reference
    return [Panel(below, left, _clouds(search, below), (origin[below], origin[left])) for below in others]


def drawn_steps(search: Search) -> str | None:
    """Return Matplotlib's draw style that joins a front; None with more than two objectives."""
    if len(search.objectives) > 2:
        return None
    return "steps-post" if search.senses[1] == "minimise" else "steps-pre"


def _clouds(search: Search, below: str) -> list[Cloud]:
    clouds = []
    for index, study in enumerate(search.studies):
        front = sorted(search.chosen_of(study), key=lambda each: each.values[below] or 0.0)
        clouds.append(Cloud(study.label, Look.of(index), study.of("finished"), front))
    return clouds


def _draw_cloud(axes: Axes, panel: Panel, cloud: Cloud, steps: str | None) -> None:
    colour = cloud.look.colour if cloud.study else INK
    if points := panel.places(cloud.finished).values():
        axes.plot(
            *zip(*points, strict=True),
            color=cloud.look.colour,
            marker=cloud.look.marker,
            markersize=2.5,
            linestyle="none",
            alpha=0.8,
            markeredgewidth=0,
            label=cloud.study,
            zorder=3,
        )
    if points := panel.places(cloud.front).values():
        line = {"drawstyle": steps} if steps else {"linestyle": "none"}
        axes.plot(*zip(*points, strict=True), gid="front", zorder=2, **FRONT | {"color": colour} | line)


def _entries(search: Search, clouds: Sequence[Cloud]) -> Iterator[Artist]:
    for cloud in clouds:
        label = cloud.study or "finished suggestion"
        yield Line2D(
            [], [], color=cloud.look.colour, marker=cloud.look.marker, markersize=2.5, linestyle="none", label=label
        )
    yield Line2D([], [], label="Pareto front", **FRONT | ({} if drawn_steps(search) else {"linestyle": "none"}))
    yield Line2D(
        [], [], color=GREY, marker="X", markersize=5, linestyle="none", label=f"reference: {reference(search)}"
    )
