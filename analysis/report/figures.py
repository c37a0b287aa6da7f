"""The figures of one sweep in the page: some interactive, the others as printed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from matplotlib.figure import Figure

from analysis.figures import FIGURES, svg
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
ORDER = [name for name in (*CHARTS, *(name for name in FIGURES if name not in CHARTS)) if name not in SEARCHED]

CAPTIONS = {
    "accuracy": "Accuracy on the held-out images of all classes seen so far, after every task: mean and standard "
    "deviation over the finished trials of the row.",
    "heatmap": "Mean over the finished trials of the row; for numbers with a better direction, lighter is better. A "
    "cell with unfinished trials shows how many are finished; a cell without any is marked as missing.",
}
"""Captions of figures that look different from the printed ones."""


def figures(results: Results, place: str, stills: Stills) -> Html:
    """Return every figure of the sweep with its caption, and the reasons for missing ones; without those of a search.

    Args:
        results: the sweep.
        place: prefix of the figures' ids.
        stills: the static figures of the page.
    """
    drawn, parts = drawn_of(results, ORDER, place, stills)
    lacking = {FIGURES[name].title: FIGURES[name].lacking(results) for name in ORDER if name not in drawn}
    absent = "; ".join(f"{title}: {why}" for title, why in lacking.items())
    return joined(
        [
            element("h3", "Figures"),
            *parts,
            *([element("p", f"Not drawn. {absent}.", class_="lacking")] if absent else []),
        ]
    )


def drawn_of(results: Results, names: Iterable[str], place: str, stills: Stills) -> tuple[list[str], list[Html]]:
    """Return the names of the figures that the sweep has, and the figures: interactive ones first, then the others."""
    drawn = {name: figure for name in names if (figure := FIGURES[name].draw(results))}
    charts = [_chart(results, name, drawn[name], place, stills) for name in drawn if name in CHARTS]
    others = [_still(results, name, drawn[name], place, stills) for name in drawn if name not in CHARTS]
    parts = {"charts": charts, "stills": others}
    return list(drawn), [element("div", *figures, class_=kind) for kind, figures in parts.items() if figures]


def _chart(results: Results, name: str, figure: Figure, place: str, stills: Stills) -> Html:
    key = f"{place}-{name}"
    stills.pack(key, stills.add(svg(figure, key)))
    plot = element("div", class_="plot", role="img", aria_label=_said(results, name))
    still = element("div", element("noscript", "This figure is drawn by the page's own script."), class_="still")
    chart = data(CHARTS[name](results, figure), f"{key}-data")
    return element("figure", _title(name), plot, still, _caption(name), chart, class_="chart", id=key)


def _still(results: Results, name: str, figure: Figure, place: str, stills: Stills) -> Html:
    key = f"{place}-{name}"
    still = element("div", stills.add(svg(figure, key)), class_="still", role="img", aria_label=_said(results, name))
    return element("figure", _title(name), still, _caption(name), id=key)


def _title(name: str) -> Html:
    return element("h4", FIGURES[name].title)


def _caption(name: str) -> Html:
    return element("figcaption", _told(name))


def _said(results: Results, name: str) -> str:
    return f"{FIGURES[name].title} of {results.name}. {_told(name)}"


def _told(name: str) -> str:
    return CAPTIONS.get(name, FIGURES[name].caption)
