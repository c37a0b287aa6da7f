"""Measures by layer: means over the trials of a row, and where a layer stands on an axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.axes import Axes

from analysis.figures.groups import Array, Group, groups_of
from analysis.figures.style import GREY, INK, SMALL
from analysis.results import Results

NAMED = 4
"""Layers in a part of the network that has room for its name."""


@dataclass(frozen=True)
class Places:
    """Where layers stand: Conv2d layers at their index, others (attention) behind them in their own order."""

    by_name: Mapping[str, int]
    convolutions: int
    """Places up to the last Conv2d layer's."""

    @classmethod
    def of(cls, measure: pa.Table) -> Places:
        """Of all layers of a measure, with its columns ``layer`` and ``name``."""
        found = measure.select(["layer", "name"]).group_by(["layer", "name"], use_threads=False).aggregate([])
        index = dict(zip(found["name"].to_pylist(), found["layer"].to_pylist(), strict=True))
        last = max((place for place in index.values() if place is not None), default=-1) + 1
        others = (name for name, place in index.items() if place is None)
        behind = {name: last + count + bool(last) for count, name in enumerate(others)}
        return cls({name: behind[name] if place is None else place for name, place in index.items()}, last)

    def mark(self, axes: Axes) -> None:
        """Name the axis, and say above it where a part of the network begins."""
        axes.set_xlabel("Conv2d layer" if self.convolutions else "layer")
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
                    (first + last) / 2, 1.0, part, color=INK, fontsize=SMALL, ha="center", va="bottom",
                    transform=axes.get_xaxis_transform(),
                )  # fmt: skip


@dataclass(frozen=True)
class Profile:
    """A measure of a row by layer, in the order of the places: per trial mean and standard deviation over classes
    (with n - 1, nan for one class), and of both the mean over trials."""

    row: Group
    places: Array
    mean: Array
    std: Array
    largest: float
    """Over layers, classes and trials."""
    n: int
    """Trials that have it."""


def profiles(results: Results, name: str, value: str) -> tuple[list[Profile], Places] | None:
    """The rows that have measured something by layer and class; None where none has.

    Args:
        results: of a sweep.
        name: of the measure, a table with ``trial``, ``layer``, ``name``, ``label``.
        value: its column.
    """
    measure = results.beside(f"measures/{name}")
    if measure is None or not len(measure):
        return None
    places = Places.of(measure)
    found = [(row, of_row(measure, row)) for row in groups_of(results)]
    return [_profile(row, table, value, places) for row, table in found if len(table)], places


def of_row(measure: pa.Table, row: Group) -> pa.Table:
    """What a row's finished trials have measured."""
    return measure.filter(pc.is_in(measure["trial"], row.finished["trial"].combine_chunks()))


def _profile(row: Group, table: pa.Table, value: str, places: Places) -> Profile:
    trials = pc.count_distinct(table["trial"]).as_py()
    largest = pc.max(table[value]).as_py()
    wanted: Sequence[tuple[object, ...]] = [(value, "mean"), (value, "stddev", pc.VarianceOptions(ddof=1))]
    classes = table.group_by(["name", "trial"], use_threads=False).aggregate(wanted)
    both = [(f"{value}_mean", "mean"), (f"{value}_stddev", "mean")]
    layers = classes.group_by("name", use_threads=False).aggregate(both)
    where = np.array([places.by_name[each] for each in layers["name"].to_pylist()], float)
    order = np.argsort(where)
    mean, std = (_floats(layers[f"{name}_mean"])[order] for name, _ in both)
    return Profile(row, where[order], mean, std, largest, trials)


def _floats(column: pa.ChunkedArray) -> Array:
    return np.array([np.nan if value is None else value for value in column.to_pylist()], float)
