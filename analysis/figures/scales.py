"""Axes of amounts that may differ by orders of magnitude."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

WIDE = 8
"""Ratio of the largest to the smallest amount above which the axis is logarithmic."""


def is_wide(amounts: Sequence[float]) -> bool:
    """Check whether amounts differ so much that their axis is logarithmic."""
    return bool(amounts) and min(amounts) > 0 and max(amounts) > WIDE * min(amounts)


def scale(axes: Axes, amounts: Sequence[float]) -> None:
    """Scale the horizontal axis for some amounts, with ticks written in full."""
    if is_wide(amounts):
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
