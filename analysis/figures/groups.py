"""The rows of a sweep's table with their trials and measured numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from analysis.results import Results
from analysis.rows import labelled

Array: TypeAlias = NDArray[np.float64]
Values: TypeAlias = tuple[Any, ...]
"""A row's values of the table's row names."""


@dataclass(frozen=True, eq=False)
class Group:
    """A row of the table: its values and its trials."""

    values: Values
    trials: int
    """Number of all its trials, of which figures show the finished ones."""
    finished: pa.Table
    bound: bool
    """True if it is an upper or lower bound, which is not ranked."""

    @property
    def label(self) -> str:
        """The row's values, such as ``0-64 · cosine``."""
        return labelled(self.values)

    def told(self, n: int, label: str | None = None) -> str:
        """Return its label, or another, with the number of averaged trials if that is not all of them."""
        name = self.label if label is None else label
        return name if n == self.trials else f"{name} (n={n} of {self.trials})"


@dataclass(frozen=True)
class Spread:
    """A number of a row: mean and standard deviation (with n - 1, nan for one) over the n trials that have it."""

    mean: float
    std: float
    n: int
    trials: int

    @property
    def whole(self) -> bool:
        """True if every trial of the row has it."""
        return self.n == self.trials


def groups_of(results: Results) -> list[Group]:
    """Return the rows of a sweep's table, by their first name, then by their second, in the order of the sweep.

    Those of a searched space are in the order of the chosen suggestions.
    """
    names, trials = results.described.rows, results.trials
    found: dict[Values, list[int]] = {}
    for index, values in enumerate(zip(*(_hashable(trials[name]) for name in names), strict=True)):
        found.setdefault(values, []).append(index)
    orders = [{value: place for place, value in enumerate(dict.fromkeys(each))} for each in zip(*found, strict=True)]
    nested = sorted(found, key=lambda each: [order[value] for order, value in zip(orders, each, strict=True)])
    shown = nested if results.search is None else found
    return [_group(results, values, trials.take(found[values])) for values in shown]


def _group(results: Results, values: Values, trials: pa.Table) -> Group:
    case = dict(zip(results.described.rows, values, strict=True)).get("case")
    finished = trials.filter(pc.equal(trials["status"], "finished"))
    return Group(values, len(trials), finished, case in results.described.bounds)


def _hashable(column: pa.ChunkedArray) -> list[Any]:
    return [str(value) if isinstance(value, list | dict) else value for value in column.to_pylist()]


def spread(group: Group, name: str) -> Spread | None:
    """Average a number over the row's finished trials; return None if none has a finite value."""
    if name not in group.finished.column_names:
        return None
    found = np.array([value for value in group.finished[name].to_pylist() if value is not None], float)
    found = found[np.isfinite(found)]
    if not len(found):
        return None
    std = float(found.std(ddof=1)) if len(found) > 1 else float("nan")
    return Spread(float(found.mean()), std, len(found), group.trials)


def stacked(values: Iterable[Any], shape: Sequence[int]) -> Array:
    """Stack lists, or lists of lists, to an array (n, *shape), padded with nan."""
    filled = []
    for value in values:
        array = np.full(shape, np.nan)
        for place in np.ndindex(*shape):
            array[place] = _at(value, place)
        filled.append(array)
    return np.array(filled).reshape(len(filled), *shape)


def _at(value: Any, place: tuple[int, ...]) -> float:
    for index in place:
        if value is None or index >= len(value):
            return float("nan")
        value = value[index]
    return float("nan") if value is None else float(value)


def over_trials(values: Array) -> tuple[Array, Array]:
    """Return mean and standard deviation (n - 1, nan for one trial) over the first axis; nan if a trial lacks one."""
    mean: Array = values.mean(axis=0)
    std: Array = values.std(axis=0, ddof=1) if len(values) > 1 else np.full_like(mean, np.nan)
    return mean, std


def main_metric(results: Results) -> str | None:
    """Return the table's first metric with a better direction, or else an accuracy; None if there is none."""
    described = results.described
    return next((name for name in (*described.columns, "aia", "la") if described.is_tested(name)), None)
