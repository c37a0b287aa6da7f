"""Measures by layer: means over the trials of a row, and the positions of layers on an axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.axes import Axes

from analysis.figures.groups import Array
from analysis.figures.style import GREY, INK, SMALL
from trainables.funlora.figures.measured import Measured

NAMED = 4
"""Layers that a part of the network needs for its name to fit."""


@dataclass(frozen=True)
class Places:
    """The positions of layers: Conv2d layers at their index, others (attention) after them in their own order."""

    by_name: Mapping[str, int]
    convolutions: int
    """Number of positions up to the last Conv2d layer."""

    @property
    def first(self) -> int:
        """Position of the first layer."""
        return min(self.by_name.values())

    @property
    def last(self) -> int:
        """Position of the last layer."""
        return max(self.by_name.values())

    @classmethod
    def of(cls, measured: Sequence[Measured]) -> Places:
        """Return the positions of all layers that any row has measured."""
        rows = pa.concat_tables(each.table.select(["layer", "name"]) for each in measured)
        found = rows.group_by(["layer", "name"], use_threads=False).aggregate([])
        index = dict(zip(found["name"].to_pylist(), found["layer"].to_pylist(), strict=True))
        last = max((place for place in index.values() if place is not None), default=-1) + 1
        others = (name for name, place in index.items() if place is None)
        behind = {name: last + count + bool(last) for count, name in enumerate(others)}
        return cls({name: behind[name] if place is None else place for name, place in index.items()}, last)

    def mark(self, axes: Axes) -> None:
        """Label the axis, and mark above it where each part of the network begins."""
        axes.set_xlabel("Conv2d layer" if self.convolutions else "layer")
        step = 10 if self.convolutions - self.first > 20 else 2
        axes.set_xticks(range(-(-self.first // step) * step, self.convolutions, step))
        parts: dict[str, list[int]] = {}
        for name, place in self.by_name.items():
            part = name.partition(".")[0].partition("_")[0] if place < self.convolutions else "attention"
            parts.setdefault(part, []).append(place)
        if len(parts) == 1:
            return
        for part, places in parts.items():
            first, last = min(places), max(places)
            if last - first + 1 >= NAMED:
                axes.axvline(first - 0.5, color=GREY, linewidth=0.5)
                axes.text(
                    (first + last) / 2,
                    1.0,
                    part,
                    color=INK,
                    fontsize=SMALL,
                    ha="center",
                    va="bottom",
                    transform=axes.get_xaxis_transform(),
                )


@dataclass(frozen=True)
class Profile:
    """A measure by layer, in order of position: mean and standard deviation over the classes of a trial (with n - 1,
    nan for one class), both averaged over trials."""

    label: str
    places: Array
    mean: Array
    std: Array
    largest: float
    """The largest value over layers, classes and trials."""


def profile(measured: Measured, value: str, places: Places) -> Profile:
    """Average a measure of rows by layer.

    Args:
        measured: the rows and their measure.
        value: the column.
        places: the positions of layers.
    """
    table = measured.table
    wanted: Sequence[tuple[object, ...]] = [(value, "mean"), (value, "stddev", pc.VarianceOptions(ddof=1))]
    classes = table.group_by(["name", "trial"], use_threads=False).aggregate(wanted)
    both = [(f"{value}_mean", "mean"), (f"{value}_stddev", "mean")]
    layers = classes.group_by("name", use_threads=False).aggregate(both)
    where = np.array([places.by_name[each] for each in layers["name"].to_pylist()], float)
    order = np.argsort(where)
    mean, std = (_floats(layers[f"{name}_mean"])[order] for name, _ in both)
    return Profile(measured.label, where[order], mean, std, pc.max(table[value]).as_py())


def _floats(column: pa.ChunkedArray) -> Array:
    return np.array([np.nan if value is None else value for value in column.to_pylist()], float)
