"""The figures of one sweep in the page: some interactive, the others as printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from matplotlib.figure import Figure

from analysis.figures import FIGURES, Drawing, svg
from analysis.report.charts import Chart, accuracy_chart, cost_chart, curves_chart, heatmap_chart
from analysis.report.markup import Html, data, element, joined
from analysis.report.search_charts import front_chart, history_chart
from analysis.report.stills import Stills
from analysis.results import Results

CHARTS: Mapping[str, Callable[[Results, Figure], Chart]] = {
    "accuracy": accuracy_chart,
    "cost": cost_chart,
    "heatmap": heatmap_chart,
    "curves": curves_chart,
    "front": front_chart,
    "history": history_chart,
}
"""Interactive charts by the name of the figure, in the order of the page."""
SEARCHED = ("front", "history", "search_importances")
"""Figures of a search, which have their own part of the page."""

CAPTIONS = {
    "accuracy": "Accuracy on the held-out images of all classes seen so far, after every task: mean and standard "
    "deviation over the finished trials of the row.",
    "heatmap": "Mean over the finished trials of the row; for numbers with a better direction, lighter is better. A "
    "cell with unfinished trials shows how many are finished; a cell without any is marked as missing.",
}
"""Captions of figures that look different from the printed ones."""


@dataclass(frozen=True)
class _Drawn:
    """A figure of the sweep with its texts on the page."""

    results: Results
    name: str
    drawing: Drawing
    figure: Figure
    key: str
    """Its id in the page."""

    @property
    def title(self) -> Html:
        """The heading above it."""
        return element("h4", self.drawing.title)

    @property
    def caption(self) -> Html:
        """The caption below it."""
        return element("figcaption", self._told)

    @property
    def said(self) -> str:
        """The description for screen readers."""
        return f"{self.drawing.title} of {self.results.name}. {self._told}"

    @property
    def _told(self) -> str:
        return CAPTIONS.get(self.name, self.drawing.caption)


def figures(results: Results, place: str, stills: Stills, own: Mapping[str, Drawing]) -> Html:
    """Return every figure of the sweep with its caption, and the reasons for missing ones; without those of a search.

    Args:
        results: the sweep.
        place: prefix of the figures' ids.
        stills: the static figures of the page.
        own: figures of the sweep's trainable, by name.
    """
    every = {**{name: FIGURES[name] for name in CHARTS}, **own, **FIGURES}
    wanted = {name: drawing for name, drawing in every.items() if name not in SEARCHED}
    drawn, parts = drawn_of(results, wanted, place, stills)
    lacking = {each.title: each.lacking(results) for name, each in wanted.items() if name not in drawn}
    absent = "; ".join(f"{title}: {why}" for title, why in lacking.items())
    return joined(
        [
            element("h3", "Figures"),
            *parts,
            *([element("p", f"Not drawn. {absent}.", class_="lacking")] if absent else []),
        ]
    )


def drawn_of(
    results: Results, wanted: Mapping[str, Drawing], place: str, stills: Stills
) -> tuple[list[str], list[Html]]:
    """Return the names of the figures that the sweep has, and the figures: interactive ones first, then the others."""
    drawn = [
        _Drawn(results, name, drawing, figure, f"{place}-{name}")
        for name, drawing in wanted.items()
        if (figure := drawing.draw(results))
    ]
    charts = [_chart(each, stills) for each in drawn if each.name in CHARTS]
    others = [_still(each, stills) for each in drawn if each.name not in CHARTS]
    parts = {"charts": charts, "stills": others}
    names = [each.name for each in drawn]
    return names, [element("div", *figures, class_=kind) for kind, figures in parts.items() if figures]


def _chart(drawn: _Drawn, stills: Stills) -> Html:
    stills.pack(drawn.key, stills.add(svg(drawn.figure, drawn.key)))
    plot = element("div", class_="plot", role="img", aria_label=drawn.said)
    still = element("div", element("noscript", "This figure is drawn by the page's own script."), class_="still")
    chart = data(CHARTS[drawn.name](drawn.results, drawn.figure), f"{drawn.key}-data")
    return element("figure", drawn.title, plot, still, drawn.caption, chart, class_="chart", id=drawn.key)


def _still(drawn: _Drawn, stills: Stills) -> Html:
    still = stills.add(svg(drawn.figure, drawn.key))
    shown = element("div", still, class_="still", role="img", aria_label=drawn.said)
    return element("figure", drawn.title, shown, drawn.caption, id=drawn.key)
