"""Cells of a heat map: colours, texts and missing values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from analysis.figures.groups import Array
from analysis.figures.style import FONT, POINTS, text_width

FILLED = 0.9
"""Share of a cell's width that its longest text fills at most."""
SMALLEST = 4.5
"""Smallest size of a cell's text in points; smaller text is left out."""
BAR = 0.12
"""Minimum height of a colour bar in inches."""
DARK = 0.45
"""Luminance of a colour below which white text is easier to read than black."""
MISSING: dict[str, Any] = {"facecolor": "#d6d6d6", "edgecolor": "#8a8d91", "hatch": "//////", "linewidth": 0.0}


def colour_bar(figure: Figure, image: Any, axes: Axes | Sequence[Axes], title: str, *, integer: bool = False) -> None:
    """Add a titled, flat colour bar below the axes; with ``integer``, ticks are at whole numbers only."""
    ticks = MaxNLocator(integer=integer, steps=[1, 2, 5, 10])
    height = BAR / figure.get_figheight()
    bar = figure.colorbar(
        image, ax=axes, orientation="horizontal", aspect=45, fraction=height, pad=height / 2, ticks=ticks
    )
    bar.set_label(title)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=2)
    bar.solids.set_rasterized(True)  # type: ignore[union-attr]


def missing(axes: Axes, row: int, column: int) -> None:
    """Hatch a cell in grey."""
    axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, gid="missing", **MISSING))


def write_cells(axes: Axes, image: AxesImage, texts: Sequence[Sequence[str]], width: float) -> None:
    """Write black or white text that fits into every cell; nothing if it would be too small to read.

    Args:
        axes: axes of the image.
        image: the image below the text.
        texts: texts by row and column.
        width: width of a cell in inches.
    """
    longest = max((text_width(text) for text in {text for row in texts for text in row}), default=0.0)
    size = min(FONT, FONT * FILLED * width * POINTS / max(longest, 1.0))
    if size < SMALLEST:
        return
    values: Array = np.ma.filled(np.ma.asarray(image.get_array(), float), np.nan)
    for (row, column), value in np.ndenumerate(values):
        if texts[row][column]:
            axes.text(
                column,
                row,
                texts[row][column],
                ha="center",
                va="center",
                fontsize=size,
                linespacing=0.95,
                color="white" if np.isfinite(value) and _luminance(image, value) < DARK else "black",
            )


def _luminance(image: AxesImage, value: float) -> float:
    colour: Array = np.array(image.to_rgba(np.array([value]))[0][:3], float)
    return float(colour @ np.array([0.2126, 0.7152, 0.0722]))
