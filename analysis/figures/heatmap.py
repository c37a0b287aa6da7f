"""A heat map of every metric, for tables with two row names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures.cells import missing, write_cells
from analysis.figures.groups import Group, Spread, groups_of, spread
from analysis.figures.style import POINTS, WIDTH, sheet, text_width
from analysis.results import Number, Results

CELL = 0.26
"""Height of a cell in inches."""
AROUND = 0.5
"""Inches above and below the cells."""
Cell: TypeAlias = tuple[Group, Spread | None] | None
"""A row and its number; None for a combination of values that the sweep does not have."""
NARROW = 3
"""Columns of cells up to which two panels fit side by side."""
MARGIN = 0.35
"""Inches for the title of the left axis."""
DIGITS = 4
"""Digits of a cell's number at most; decimals are dropped to keep to it."""


def draw(results: Results) -> Figure | None:
    """Draw the mean of every measured column over a row's finished trials, as cells by the table's two names.

    For numbers with a better direction, lighter is better. A row without a value is hatched and marked as missing; if
    only some of its trials lack it, the cell shows how many have it; a combination of values that the sweep does not
    have stays blank. Searches have no such grid.
    """
    names = list(results.described.rows)
    if len(names) != 2 or results.search:
        return None
    rows = {row.values: row for row in groups_of(results)}
    columns = [name for name in results.described.columns if results.described.number(name).kind != "fact"]
    columns = [name for name in columns if any(spread(row, name) for row in rows.values())]
    if not columns:
        return None
    down, across = (list(dict.fromkeys(axes[place] for axes in rows)) for place in (0, 1))
    turned = max(len(str(value)) for value in across) > max(len(str(value)) for value in down)
    if turned:
        down, across, names = across, down, names[::-1]
    table = [[rows.get((y, x)[::-1] if turned else (y, x)) for x in across] for y in down]
    beside = 2 if len(across) <= NARROW and len(columns) > 1 else 1
    high = -(-len(columns) // beside)
    figure, panels = sheet(high * (AROUND + CELL * len(down)), high, beside)
    left = max(text_width(str(value)) for value in down) / POINTS + MARGIN
    for axes, name in zip(panels, columns, strict=False):
        cells = [[(row, spread(row, name)) if row else None for row in line] for line in table]
        _draw(axes, cells, results.described.number(name), (WIDTH - left) / beside / len(across))
        axes.set_xticks(range(len(across)), map(str, across))
        axes.set_yticks(range(len(down)), map(str, down))
        axes.set_ylabel(names[0])
        axes.set_xlabel(names[1])
        axes.label_outer()
    for spare in panels[len(columns) :]:
        spare.remove()
    return figure


def _draw(axes: Axes, cells: Sequence[Sequence[Cell]], number: Number, width: float) -> None:
    means = np.array([[cell[1].mean if cell and cell[1] else np.nan for cell in line] for line in cells])
    colours = "cividis_r" if number.better == "lower" else "cividis"
    image = axes.imshow(np.ma.masked_invalid(means), aspect="auto", cmap=colours)
    for place in (place for place, _ in np.ndenumerate(means)):
        if (cell := cells[place[0]][place[1]]) and cell[1] is None:
            missing(axes, *place)
    known = means[np.isfinite(means)]
    decimals = number.decimals if (known % 1).any() else 0
    write_cells(axes, image, [[_text(cell, decimals) for cell in line] for line in cells], width)
    axes.set_title(number.title)
    axes.grid(visible=False)
    axes.tick_params(length=0)


def _text(cell: Cell, decimals: int) -> str:
    if cell is None:
        return ""
    row, found = cell
    if found is None:
        return "missing"
    count = "" if found.n == row.trials else f"\n{found.n} of {row.trials}"
    return _short(found.mean, decimals) + count


def _short(value: float, decimals: int) -> str:
    whole = len(f"{abs(value):.0f}")
    return f"{value:.{max(0, min(decimals, DIGITS - whole))}f}"
