"""Pareto fronts and hypervolumes in any number of objectives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias, TypeGuard

Sense: TypeAlias = Literal["maximise", "minimise"]
"""Direction of an objective."""
Gains: TypeAlias = tuple[float, ...]
"""A point's objectives, with signs such that more is better."""


def front(points: Sequence[Sequence[float | None]], senses: Sequence[Sense]) -> list[int]:
    """Return the indices of the points on the Pareto front, the best in the first objective first.

    A point dominates another if it is worse in no objective and better in at least one. Of equal points all are on
    the front; a point with a missing number (None, nan, infinite) is ignored.

    Args:
        points: n points of k objectives each, k >= 1.
        senses: directions of the k objectives.
    """
    gains = {index: _gains(point, senses) for index, point in enumerate(points) if _is_known(point)}
    unbeaten: list[int] = []
    for index in sorted(gains, key=gains.__getitem__, reverse=True):  # a point comes after those that dominate it
        if not any(_beats(gains[other], gains[index]) for other in unbeaten):
            unbeaten.append(index)
    return unbeaten


def hypervolume(points: Sequence[Sequence[float | None]], reference: Sequence[float], senses: Sequence[Sense]) -> float:
    """Return the hypervolume: the volume that the points dominate and that is better than the reference.

    The measure is that of Zitzler and Thiele (1999), "Multiobjective evolutionary algorithms: a comparative case study
    and the strength Pareto approach"; exact, by slicing one objective after the other as in While, Hingston, Barone
    and Huband (2006), "A faster algorithm for calculating hypervolume".

    Args:
        points: n points of k objectives each, k >= 1; one that is not better than the reference in every objective, or
            has a missing number, contributes nothing.
        reference: the reference point, (k,).
        senses: directions of the k objectives.
    """
    unbeaten = [points[index] for index in front(points, senses)]
    if not unbeaten:
        return 0.0
    origin = _gains(reference, senses)
    boxes = [
        tuple(gain - least for gain, least in zip(_gains(point, senses), origin, strict=True))
        for point in unbeaten
        if _is_known(point)
    ]
    return _volume([box for box in boxes if min(box) > 0])


def is_finite(value: float | None) -> TypeGuard[float]:
    """Check that a number is present and finite."""
    return value is not None and math.isfinite(value)


def _volume(boxes: Sequence[Gains]) -> float:
    """Return the volume of a union of boxes at the origin, summed over slabs between successive last coordinates."""
    if not boxes:
        return 0.0
    if len(boxes[0]) == 1:
        return max(box[0] for box in boxes)
    falling = sorted(boxes, key=lambda box: box[-1], reverse=True)
    floors = [*(box[-1] for box in falling[1:]), 0.0]
    slabs = [(box[-1] - floor, place + 1) for place, (box, floor) in enumerate(zip(falling, floors, strict=True))]
    return math.fsum(
        height * _volume([box[:-1] for box in falling[:reaching]]) for height, reaching in slabs if height > 0
    )


def _is_known(point: Sequence[float | None]) -> TypeGuard[Sequence[float]]:
    return all(map(is_finite, point))


def _gains(point: Sequence[float], senses: Sequence[Sense]) -> Gains:
    return tuple(value if sense == "maximise" else -value for value, sense in zip(point, senses, strict=True))


def _beats(one: Gains, other: Gains) -> bool:
    return one != other and all(mine >= theirs for mine, theirs in zip(one, other, strict=True))
