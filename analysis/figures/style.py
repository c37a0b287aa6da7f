"""The style of figures: one paper column, 7 pt, colours that are distinct for colour-blind readers and in grey."""

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
"""Width of a paper column in inches."""
POINTS = 72
"""Points per inch."""
FONT = 7.0
"""Font size in points."""
SMALL = 6.0
"""Font size of annotations in points."""
LINE_HEIGHT = 0.14
"""Height of a legend's line in inches."""
HANDLE = 29.0
"""Width in points of a legend's symbol and gaps, beside its text."""
INK = "#1d1e20"
"""Colour of text and axes. Not black, so that `svg` can tell it from parts that are black on every page."""
GREY = "#8a8d91"
"""A grey that is legible on white and on dark pages."""
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

# Okabe and Ito's colours without yellow, which is illegible on white.
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
"""Style of a line with ringed points."""


@dataclass(frozen=True)
class Look:
    """The style of a row: distinguished by colour, and in grey by marker and line."""

    colour: str
    marker: str
    line: LineStyle

    @property
    def rasters(self) -> bool:
        """True if it may be rasterised: ink adapts to the page's colour, which raster images cannot."""
        return self.colour != INK

    @classmethod
    def of(cls, index: int) -> Look:
        """Return the style of the row with this index; the first 77 are distinct."""
        line = LINES[index // len(COLOURS) % len(LINES)]
        return cls(COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)], line)

    @classmethod
    def limit(cls, index: int) -> Look:
        """Return the style of the bound with this index: grey, with a broken line."""
        return cls(GREY, MARKERS[index % len(MARKERS)], LINES[1 + index % (len(LINES) - 1)])


def sheet(height: float, down: int = 1, across: int = 1, **options: Any) -> tuple[Figure, list[Axes]]:
    """Create a figure of one column's width, and return it with its panels, row by row.

    Args:
        height: height of the figure in inches.
        down, across: numbers of panels.
        options: options of ``Figure.subplots``.
    """
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, list(figure.subplots(down, across, squeeze=False, **options).flat)


def legend_below(figure: Figure, handles: Sequence[Artist], title: str) -> None:
    """Add a legend below the panels, in as many columns as its text allows; the figure grows by its height."""
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
    """Return the width in points of the longest line of a text."""
    font = FontProperties(family=STYLE["font.family"], size=FONT)
    return max(
        (float(TextPath((0, 0), line, prop=font).get_extents().width) for line in text.split("\n") if line), default=0.0
    )


def _wrapped(text: str, room: float) -> str:
    """Wrap a text to lines of this many points."""
    wide = text_width(text)
    return text if wide <= room else "\n".join(wrap(text, max(1, int(len(text) * room / wide))))
