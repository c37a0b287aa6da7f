"""A space of which every point is known: adapters of the digits, between the corners that were run.

``digits_corners.csv`` holds a run of every function on every range of layers, with p 2 and 14 and ratio 1 and 8:
digits, seed 0, six classes and then two at a time, base.iterations 500, adapter.iterations 30, samples.chunk 40,
solver.grid_points 3, classifier.epochs 8.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

from analysis.front import Sense, hypervolume
from sweeper.space.search import SearchSpace

RECORDED = Path(__file__).parent / "digits_corners.csv"
LEAST_P, LARGEST_P, LARGEST_RATIO = 2, 14, 8
"""Of the runs; the least ratio is 1."""
SENSES: tuple[Sense, Sense] = ("maximise", "minimise")
Params: TypeAlias = Mapping[str, Any]
Point: TypeAlias = tuple[float, float]
"""AIA in percent, and PPC."""
Corners: TypeAlias = Mapping[tuple[str, str, int, int], float]
"""AIA by case, layers, p and ratio."""


@dataclass(frozen=True)
class Surrogate:
    """A searched space with one study, and the two objectives of its every point."""

    searched: SearchSpace
    known: Mapping[frozenset[tuple[str, Any]], Point]
    """By the values of the names that are asked for."""

    @classmethod
    def of(cls, searched: SearchSpace) -> Surrogate:
        """PPC is counted; AIA is interpolated, linear in p and in the logarithm of ratio, and level beyond p 14."""
        corners, (study,) = _corners(), searched.points
        return cls(
            searched,
            {
                frozenset(params.items()): (_aia(corners, params), searched.trials(study, params)[0].facts["ppc"])
                for params in searched.all(study)
            },
        )

    def objectives(self, params: Params) -> Point:
        """Of a suggestion."""
        return self.known[frozenset(params.items())]

    def share(self, points: Iterable[Point]) -> float:
        """Of the hypervolume of the whole space, from its worst AIA and its worst PPC."""
        return self._volume(points) / self._whole

    @cached_property
    def _whole(self) -> float:
        return self._volume(self.known.values())

    @cached_property
    def _worst(self) -> Point:
        return min(aia for aia, _ in self.known.values()), max(ppc for _, ppc in self.known.values())

    def _volume(self, points: Iterable[Point]) -> float:
        return hypervolume(list(points), self._worst, SENSES)


def _corners() -> Corners:
    with RECORDED.open(newline="") as file:
        return {
            (row["case"], row["adapter.layers"], int(row["adapter.p"]), int(row["adapter.ratio"])): float(row["aia"])
            for row in csv.DictReader(file)
        }


def _aia(corners: Corners, params: Params) -> float:
    """Where p is not asked for, that of the least p."""
    p, ratio = params.get("adapter.p", LEAST_P), params["adapter.ratio"]
    of_p = min(1.0, (p - LEAST_P) / (LARGEST_P - LEAST_P))
    of_ratio = math.log(ratio) / math.log(LARGEST_RATIO)
    weights = {
        (LEAST_P, 1): (1 - of_p) * (1 - of_ratio),
        (LEAST_P, LARGEST_RATIO): (1 - of_p) * of_ratio,
        (LARGEST_P, 1): of_p * (1 - of_ratio),
        (LARGEST_P, LARGEST_RATIO): of_p * of_ratio,
    }
    case, layers = params["case"], params["adapter.layers"]
    return math.fsum(weight * corners[case, layers, *corner] for corner, weight in weights.items() if weight)
