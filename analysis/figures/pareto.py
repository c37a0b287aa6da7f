"""The rows that no other row beats."""

from __future__ import annotations

import math
from collections.abc import Sequence


def pareto_front(points: Sequence[tuple[float | None, float | None]], higher: bool = True) -> list[int]:
    """Indices of the points that no other beats, by cost.

    A point beats another where neither its cost nor its value is worse and one of them is better. Equal points stand
    together; a point that lacks a number (None or nan) neither beats nor stands.

    Args:
        points: cost, of which less is better, and value.
        higher: whether more of the value is better.
    """
    known = [
        (float(cost), -float(value) if higher else float(value), index)
        for index, (cost, value) in enumerate(points)
        if cost is not None and value is not None and not math.isnan(cost) and not math.isnan(value)
    ]
    front: list[tuple[float, float, int]] = []
    for each in sorted(known):
        if not front or each[1] < front[-1][1] or each[:2] == front[-1][:2]:
            front.append(each)
    return [index for _, _, index in front]
