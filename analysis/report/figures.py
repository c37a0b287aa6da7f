"""The figures of one sweep in the page: interactive where a reader wants to look closer, and otherwise as printed."""

from __future__ import annotations

from matplotlib.figure import Figure

from analysis.figures import FIGURES, svg
from analysis.report.charts import CHARTS
from analysis.report.markup import Html, data, element, joined
from analysis.report.stills import Stills
from analysis.results import Results

ORDER = (*CHARTS, *(name for name in FIGURES if name not in CHARTS))

CAPTIONS = {
    "accuracy": "Accuracy on the held-out images of all classes seen so far, after every task: mean and standard "
    "deviation over the finished trials of the row.",
    "heatmap": "Mean over the finished trials of the row; where a number can be better or worse, the lighter the "
    "better. A cell whose trials are not all finished says how many are, one without any that it is missing.",
}
"""Of those that are told otherwise than in print, as they look otherwise."""


def figures(results: Results, place: str, stills: Stills) -> Html:
    """Every figure that the sweep has, with its caption, and why it lacks the others.

    Args:
        results: the sweep.
        place: begins the figures' ids.
        stills: of the page.
    """
    drawn = {name: figure for name in ORDER if (figure := FIGURES[name].draw(results))}
    charts = [_chart(results, name, drawn[name], place, stills) for name in drawn if name in CHARTS]
    others = [_still(results, name, drawn[name], place, stills) for name in drawn if name not in CHARTS]
    lacking = {FIGURES[name].title: FIGURES[name].lacking(results) for name in ORDER if name not in drawn}
    absent = "; ".join(f"{title}: {why}" for title, why in lacking.items())
    return joined(
        [
            element("h3", "Figures"),
            *([element("div", *charts, class_="charts")] if charts else []),
            *([element("div", *others, class_="stills")] if others else []),
            *([element("p", f"Not drawn. {absent}.", class_="lacking")] if absent else []),
        ]
    )


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
