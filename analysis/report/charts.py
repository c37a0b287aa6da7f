"""The data of the interactive figures, which ``charts.js`` draws as panels.

    {"choice": the label of the choice of panels, "first": index of the panel shown first,
     "panels": [{"name", "x", "y", "logx", "logy", "lines" | "points" | "cells"}]}

A line without ``dash`` has only points; its ``hovers`` are the lines of text shown at each of them.
All numbers come from the same source as those of the printed figure; missing ones are null.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, TypeAlias

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures.accuracy import panels_with_accuracies
from analysis.figures.cost import Point, front_of, plot_of
from analysis.figures.groups import Group, groups_of, main_metric, over_trials, spread
from analysis.figures.scales import is_wide
from analysis.figures.style import Look
from analysis.results import Results

Chart: TypeAlias = dict[str, Any]
DIGITS = 5
"""Significant digits that a chart keeps."""


def accuracy_chart(results: Results, _: Figure) -> Chart:
    """Return lines with deviations, a panel for each of the figure's."""
    measured, drawn_panels = panels_with_accuracies(results)
    panels = []
    for panel in drawn_panels:
        lines = []
        for line in panel.lines:
            found = measured[line.row.values]
            mean, std = over_trials(found)
            told, tasks = line.row.told(len(found)), [*range(1, len(mean) + 1)]
            drawn = {"label": line.label, "told": told, "x": tasks, "y": numbers(mean), "std": numbers(std)}
            lines.append(drawn | look_of(line.look))
        name = panel.title.partition("\n")[0]
        panels.append({"name": name, "x": "task", "y": "accuracy on all classes seen, %", "lines": lines})
    return {"choice": "rows of", "first": 0, "panels": panels}


def cost_chart(results: Results, _: Figure) -> Chart:
    """Return points with deviations in both directions, the front and the bounds; a panel per cost that varies."""
    plot = plot_of(results)
    if plot is None:
        return {"choice": "cost", "first": 0, "panels": []}
    described = results.described
    metric = described.number(plot.metric)
    limits = [
        {"label": row.told(value.n), "y": number(value.mean), "dash": Look.limit(index).line}
        for index, (row, value) in enumerate(plot.limits.items())
    ]
    panels = [
        {
            "name": described.number(cost).title,
            "x": described.number(cost).title,
            "y": metric.title,
            "logx": is_wide([each.cost.mean for each in points]),
            "points": [*map(_point, points)],
            "front": [*map(numbers, front_of(points, metric.better == "higher"))],
            "limits": limits,
        }
        for cost, points in plot.points.items()
    ]
    return {"choice": "cost", "first": 0, "panels": panels}


def _point(point: Point) -> Chart:
    cost, value = point.cost, point.value
    return {
        "label": point.row.label,
        "told": point.row.told(min(cost.n, value.n)),
        "x": number(cost.mean),
        "y": number(value.mean),
        "xstd": number(cost.std),
        "std": number(value.std),
        "hollow": not point.whole,
    } | look_of(point.look)


def heatmap_chart(results: Results, _: Figure) -> Chart:
    """Return cells by the table's two names, a panel per measured column."""
    rows = groups_of(results)
    down, across = (list(dict.fromkeys(row.values[place] for row in rows)) for place in (0, 1))
    by_values = {row.values: row for row in rows}
    panels = []
    for name in results.described.columns:
        described = results.described.number(name)
        if described.kind == "fact" or not any(spread(row, name) for row in rows):
            continue
        cells = [[_cell(by_values.get((y, x)), name, described.decimals) for x in across] for y in down]
        panels.append(
            {
                "name": described.title,
                "x": results.described.rows[1],
                "y": results.described.rows[0],
                "across": [*map(str, across)],
                "down": [*map(str, down)],
                "cells": cells,
                "lower": described.better == "lower",
            }
        )
    metric = results.described.number(main_metric(results) or "").title
    first = next((index for index, panel in enumerate(panels) if panel["name"] == metric), 0)
    return {"choice": "column", "first": first, "panels": panels}


def _cell(row: Group | None, name: str, decimals: int) -> Chart | None:
    if row is None:
        return None
    found = spread(row, name)
    if found is None:
        return {"told": row.label, "text": "missing", "value": None}
    mean, count = f"{found.mean:.{decimals}f}", None if found.whole else f"{found.n} of {found.trials}"
    text = mean if math.isnan(found.std) else f"{mean} ± {found.std:.{decimals}f}"
    return {"told": row.told(found.n), "text": text, "value": number(found.mean), "mean": mean, "count": count}


def curves_chart(results: Results, figure: Figure) -> Chart:
    """Return the lines of the figure itself, a panel per stage function and metric."""
    panels = [
        {
            "name": f"{axes.get_title(loc='left') or axes.get_title()}: {axes.get_ylabel()}",
            "x": axes.get_xlabel(),
            "y": axes.get_ylabel(),
            "logy": axes.get_yscale() == "log",
            "lines": list(_lines(axes)),
        }
        for axes in figure.axes
    ]
    return {"choice": "stage", "first": 0, "panels": panels}


def _lines(axes: Axes) -> Iterable[Chart]:
    for line in axes.lines:
        look = Look(str(line.get_color()), "", line.get_linestyle())  # type: ignore[arg-type]
        label, x, y = str(line.get_label()), numbers(line.get_xdata()), numbers(line.get_ydata())
        yield {"label": label, "told": label, "x": x, "y": y} | look_of(look)


def look_of(look: Look) -> Chart:
    """Return the style of a row in the format of the script."""
    return {"colour": look.colour, "marker": look.marker, "dash": look.line}


def numbers(values: Any) -> list[float | None]:
    """Round several numbers, see `number`."""
    return [number(value) for value in values]


def number(value: Any) -> float | None:
    """Round a number to the digits that a chart keeps; None if it is not finite."""
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
