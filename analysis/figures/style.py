"""How figures look: one paper column, 7 pt, colours that the colour-blind and grey prints can tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any, Literal, TypeAlias, get_args

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

WIDTH = 3.4
"""Inches of a paper column."""
POINTS = 72
"""Of an inch."""
FONT = 7.0
"""Points."""
SMALL = 6.0
"""Points, inside cells."""
LINE_HEIGHT = 0.14
"""Inches of a legend's line."""
HANDLE = 29.0
"""Points of a legend's line before its words, and of the gap after them."""
INK = "#1d1e20"
"""Of text and axes. Not black, so that `svg` can tell it from what is black on every page."""
GREY = "#8a8d91"
"""Reads on white and on a dark page."""
STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": FONT,
    "axes.titlesize": FONT,
    "axes.labelsize": FONT,
    "figure.labelsize": FONT,
    "xtick.labelsize": FONT,
    "ytick.labelsize": FONT,
    "legend.fontsize": FONT,
    "legend.title_fontsize": FONT,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.pad": 2,
    "ytick.major.pad": 2,
    "axes.titlepad": 3,
    "axes.labelpad": 2,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "grid.color": GREY,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.4,
    "axes.axisbelow": True,
    "lines.linewidth": 1.0,
    "lines.markersize": 3.5,
    "hatch.linewidth": 0.5,
    "legend.frameon": False,
    "legend.handlelength": 2.2,
    "legend.columnspacing": 1.0,
    "legend.borderaxespad": 0.2,
    "image.cmap": "cividis",
    "image.interpolation": "none",
    "savefig.dpi": 300,
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "figure.constrained_layout.h_pad": 0.03,
    "figure.constrained_layout.w_pad": 0.03,
}

# Okabe and Ito's colours without yellow, which no white page shows.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", INK)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", "p", ">", "h")
LineStyle: TypeAlias = Literal["-", "--", "-.", ":"]
LINES: tuple[LineStyle, ...] = get_args(LineStyle)
FRONT: dict[str, Any] = {
    "color": INK,
    "linewidth": 0.7,
    "marker": "o",
    "markersize": 7,
    "markerfacecolor": "none",
    "markeredgewidth": 0.7,
}
"""A line that rings the points on it."""


@dataclass(frozen=True)
class Look:
    """What tells a row from others: by colour, and in grey by marker and line."""

    colour: str
    marker: str
    line: LineStyle

    @property
    def rasters(self) -> bool:
        """Whether a picture of it reads on every page: ink takes the page's colour, which pictures cannot."""
        return self.colour != INK

    @classmethod
    def of(cls, index: int) -> Look:
        """That of the row with this index; no two of the first 77 are alike."""
        line = LINES[index // len(COLOURS) % len(LINES)]
        return cls(COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)], line)

    @classmethod
    def limit(cls, index: int) -> Look:
        """That of the bound with this index: grey, and no line is whole."""
        return cls(GREY, MARKERS[index % len(MARKERS)], LINES[1 + index % (len(LINES) - 1)])


def sheet(height: float, down: int = 1, across: int = 1, **options: Any) -> tuple[Figure, list[Axes]]:
    """A figure of one column's width and its panels, row by row.

    Args:
        height: of the figure in inches.
        down, across: panels.
        options: of ``Figure.subplots``.
    """
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, list(figure.subplots(down, across, squeeze=False, **options).flat)


def legend_below(figure: Figure, handles: Sequence[Artist], title: str) -> None:
    """Add a legend below the panels, in as many columns as its words leave room for; the figure grows by it."""
    room = WIDTH * POINTS - HANDLE
    for each in handles:
        each.set_label(_wrapped(str(each.get_label()), room))
    labels = [str(each.get_label()) for each in handles]
    columns = max(1, min(len(handles), int(WIDTH * POINTS / (HANDLE + max(map(text_width, labels))))))
    lines = -(-len(handles) // columns) + 1 + sum(label.count("\n") for label in labels)
    figure.set_figheight(figure.get_figheight() + lines * LINE_HEIGHT)
    head = _wrapped(title, room)
    legend = figure.legend(handles=list(handles), loc="outside lower center", ncols=columns, title=head)
    legend.get_title().set_multialignment("center")


def text_width(text: str) -> float:
    """Points of the longest line of a text."""
    font = FontProperties(family=STYLE["font.family"], size=FONT)
    return max(
        (float(TextPath((0, 0), line, prop=font).get_extents().width) for line in text.split("\n") if line), default=0.0
    )


def _wrapped(text: str, room: float) -> str:
    """A text in lines of this many points."""
    wide = text_width(text)
    return text if wide <= room else "\n".join(wrap(text, max(1, int(len(text) * room / wide))))
