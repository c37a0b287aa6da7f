"""The interactive figures of a search: hovering a point shows its suggestion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import nan

from matplotlib.figure import Figure

from analysis.figures.front import Cloud, Panel, drawn_steps, panels_of
from analysis.figures.history import measured
from analysis.figures.scales import is_wide
from analysis.figures.style import GREY, INK, Look
from analysis.findings import amount, reference
from analysis.report.charts import Chart, look_of, numbers
from analysis.results import Results
from analysis.search import Search, Suggestion

SHAPES = {"steps-post": "hv", "steps-pre": "vh"}
BELOW = 0.06
"""Distance of pruned suggestions below the history, as a share of its height."""


def front_chart(results: Results, _: Figure) -> Chart:
    """Return suggestions and fronts of every study and the reference, a panel for each of the figure's."""
    search = results.search
    panels = [] if search is None else [_front(results, search, panel) for panel in panels_of(results)]
    return {"choice": "against", "first": 0, "panels": panels}


def _front(results: Results, search: Search, panel: Panel) -> Chart:
    below, left = (results.described.number(name).title for name in (panel.below, panel.left))
    lines = [line for cloud in panel.clouds for line in _cloud(results, panel, cloud, drawn_steps(search))]
    origin = {
        "label": "reference",
        "x": numbers(panel.origin[:1]),
        "y": numbers(panel.origin[1:]),
        "hovers": [["reference", reference(search)]],
        **look_of(Look(GREY, "X", "-")),
        "dash": "",
    }
    return {"name": below, "x": below, "y": left, "logx": is_wide(panel.amounts), "lines": [*lines, origin]}


def _cloud(results: Results, panel: Panel, cloud: Cloud, steps: str | None) -> list[Chart]:
    ringed = replace(cloud.look, marker="o", line="-", **({} if cloud.study else {"colour": INK}))
    joined = {"shape": SHAPES[steps]} if steps else {"dash": ""}
    name = f"{cloud.study}: Pareto front" if cloud.study else "Pareto front"
    every, front = (_places(results, panel, each) for each in (cloud.finished, cloud.front))
    return [
        {"label": cloud.study or "finished suggestion", **every, **look_of(cloud.look), "dash": ""},
        {"label": name, **front, **look_of(ringed), "ring": True, **joined},
    ]


def _places(results: Results, panel: Panel, suggestions: Sequence[Suggestion]) -> Chart:
    places = panel.places(suggestions)
    hovers = [_told(results, each) for each in suggestions if each.number in places]
    return {"x": numbers(x for x, _ in places.values()), "y": numbers(y for _, y in places.values()), "hovers": hovers}


def history_chart(results: Results, _: Figure) -> Chart:
    """Return a line per study, and the pruned suggestions below all lines."""
    search = results.search
    lines = [] if search is None else _histories(results, search)
    panel = {"name": "history", "x": "suggestion", "y": measured(results), "lines": lines}
    return {"choice": "", "first": 0, "panels": [panel]}


def _histories(results: Results, search: Search) -> list[Chart]:
    lines = []
    pruned = [each for study in search.studies for each in study.of("pruned")]
    for index, study in enumerate(search.studies):
        values = [nan if value is None else value for value in search.history(study)]
        lines.append(
            {
                "label": study.label or measured(results),
                "x": [each.number for each in study.suggestions],
                "y": numbers(values),
                "hovers": [_told(results, each) for each in study.suggestions],
                **look_of(Look.of(index)),
                "marker": "",
                "shape": "hv",
            }
        )
    known = [value for line in lines for value in line["y"] if value is not None]
    if pruned and known:
        low = min(known) - BELOW * ((max(known) - min(known)) or 1.0)
        lines.append(
            {
                "label": "pruned suggestion",
                "x": [each.number for each in pruned],
                "y": numbers([low] * len(pruned)),
                "hovers": [_told(results, each) for each in pruned],
                **look_of(Look(GREY, "|", "-")),
                "dash": "",
            }
        )
    return lines


def _told(results: Results, suggestion: Suggestion) -> list[str]:
    """Return lines with a suggestion's number, values, parameters, and the reason if it was stopped."""
    values = {results.described.number(name).title: value for name, value in suggestion.values.items()}
    state = "" if suggestion.state == "finished" else f", {suggestion.state}"
    return [
        f"suggestion {suggestion.number}{state}",
        *(f"{title} {amount(value)}" for title, value in values.items() if value is not None),
        *(f"{name} {value!s}" for name, value in suggestion.params.items() if value is not None),
        *([suggestion.cause] if suggestion.cause else []),
    ]
