"""Compare rows with their baselines, paired by seed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from analysis.differences import Differences, compare
from analysis.results import Description
from analysis.rows import Row, number

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Comparison:
    """The differences of rows from their baselines in one column, paired by seed."""

    column: str
    rows: Sequence[int]
    """Indices of the compared rows."""
    baselines: Sequence[int]
    """Index of the row that each of them is compared with."""
    differences: Differences


def comparisons(trials: pa.Table, described: Description, rows: Sequence[Row]) -> Iterator[Comparison]:
    """Yield a comparison with the baseline for every metric that has a better direction.

    A row's baseline is the row that has the baseline's values and is otherwise equal: with rows by layers and case, and
    a case as the baseline, cases are compared within the same layers. Two trials are a pair if they have the same seed
    and the same values of all other names that vary within rows.
    """
    places = {tuple(row.axes.values()): place for place, row in enumerate(rows)}
    pairs = list(_pairs(described.baseline, rows, places))
    tested = [name for name in described.columns if described.is_tested(name)]
    if not pairs or not tested:
        return
    mine, theirs = zip(*pairs, strict=True)
    distinct, code = _distinct(trials, described.rows)
    row_of = np.array([places[values] for values in distinct])[code]
    pair_of = _pairing(trials, described, row_of)
    for name in tested:
        values = np.full((len(rows), int(pair_of.max()) + 1), np.nan)
        values[row_of, pair_of] = number(trials, name).to_numpy()
        yield Comparison(name, mine, theirs, compare(values[list(mine)] - values[list(theirs)]))


def _pairs(
    baseline: Mapping[str, Any], rows: Sequence[Row], places: Mapping[tuple[Any, ...], int]
) -> Iterator[tuple[int, int]]:
    for place, row in enumerate(rows):
        changed = {name: _plain(value) for name, value in baseline.items() if name in row.axes}
        other = places.get(tuple((dict(row.axes) | changed).values()))
        if changed and other is not None and other != place:
            yield place, other


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict) else value


def _pairing(trials: pa.Table, described: Description, row_of: Codes) -> Codes:
    """Return a pair number for each trial: trials of two rows with the same number are a pair."""
    rows = len(np.unique(row_of))
    others = [name for name in described.design if name not in described.rows]
    varying = [name for name in others if len(np.unique(_joined(row_of, _distinct(trials, [name])[1]))) > rows]
    return _distinct(trials, [*described.seeds, *varying])[1]


def _distinct(trials: pa.Table, names: Sequence[str]) -> tuple[list[tuple[Any, ...]], Codes]:
    """Return the distinct combinations of some columns, and the index of each trial's combination."""
    columns = [pc.dictionary_encode(trials[name].combine_chunks(), null_encoding="encode") for name in names]
    code = np.zeros(len(trials), np.int64)
    for column in columns:
        code = _joined(code, column.indices.to_numpy())
    _, first, inverse = np.unique(code, return_index=True, return_inverse=True)
    picked = [column.take(pa.array(first)).to_pylist() for column in columns]
    return list(zip(*picked, strict=True)), inverse


def _joined(one: Codes, other: Codes) -> Codes:
    joined: Codes = one * (int(other.max()) + 1) + other
    return joined
