"""Axes of amounts that may be far apart."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

WIDE = 8
"""How many times the least amount the largest is, from where on the axis is logarithmic."""


def is_wide(amounts: Sequence[float]) -> bool:
    """Whether amounts are so far apart that their axis is logarithmic."""
    return bool(amounts) and min(amounts) > 0 and max(amounts) > WIDE * min(amounts)


def scale(axes: Axes, amounts: Sequence[float]) -> None:
    """Make the horizontal axis that of some amounts, which it writes out."""
    if is_wide(amounts):
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
