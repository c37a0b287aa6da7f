import math
import random
from collections.abc import Sequence
from itertools import combinations

import pytest

from analysis.front import Sense, front, hypervolume

Point = tuple[float, ...]


def drawn(draw: random.Random, objectives: int, most: int = 12) -> list[Point]:
    return [tuple(float(draw.randint(0, 6)) for _ in range(objectives)) for _ in range(draw.randint(0, most))]


def some_senses(draw: random.Random, objectives: int) -> list[Sense]:
    return [draw.choice(["maximise", "minimise"]) for _ in range(objectives)]


def turned(point: Point, senses: Sequence[Sense]) -> list[float]:
    return [value if sense == "maximise" else -value for value, sense in zip(point, senses, strict=True)]


def beats(one: Point, other: Point, senses: Sequence[Sense]) -> bool:
    """Whether no number of the one is worse and one is better."""
    pairs = list(zip(turned(one, senses), turned(other, senses), strict=True))
    return all(mine >= theirs for mine, theirs in pairs) and any(mine > theirs for mine, theirs in pairs)


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
def test_the_front_holds_exactly_the_points_that_no_other_beats_the_best_in_the_first_objective_first(
    objectives: int,
) -> None:
    draw = random.Random(objectives)
    for _ in range(200):
        points, senses = drawn(draw, objectives), some_senses(draw, objectives)
        found = front(points, senses)
        unbeaten = {i for i, each in enumerate(points) if not any(beats(other, each, senses) for other in points)}
        assert set(found) == unbeaten
        assert len(found) == len(unbeaten)
        firsts = [points[i][0] for i in found]
        assert firsts == sorted(firsts, reverse=senses[0] == "maximise")


def test_points_that_are_equal_stand_together_in_their_order() -> None:
    assert front([(1, 5), (2, 6), (1, 5), (2, 5)], ["minimise", "maximise"]) == [0, 2, 1]


def test_a_point_without_a_number_neither_beats_nor_stands() -> None:
    points = [(None, 99), (1, None), (0, math.nan), (math.nan, 99), (-math.inf, 9), (1, math.inf), (3, 1)]
    assert front(points, ["minimise", "maximise"]) == [6]
    assert front([], ["minimise", "maximise"]) == []
    assert hypervolume(points, (4, 0), ["minimise", "maximise"]) == 1


def by_inclusion_and_exclusion(points: Sequence[Point], reference: Point, senses: Sequence[Sense]) -> float:
    """The volume of a union of boxes from those of all their intersections."""
    corner = turned(reference, senses)
    sides = [
        [max(0.0, mine - least) for mine, least in zip(turned(point, senses), corner, strict=True)]
        for point in dict.fromkeys(points)
    ]
    return math.fsum(
        (-1) ** (size + 1) * math.prod(map(min, zip(*chosen, strict=True)))
        for size in range(1, len(sides) + 1)
        for chosen in combinations(sides, size)
    )


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
def test_the_hypervolume_is_that_of_inclusion_and_exclusion(objectives: int) -> None:
    draw = random.Random(objectives)
    for _ in range(60):
        points = [tuple(each + draw.random() for each in point) for point in drawn(draw, objectives, 8)]
        senses = some_senses(draw, objectives)
        reference = tuple(draw.uniform(1, 5) for _ in range(objectives))
        expected = by_inclusion_and_exclusion(points, reference, senses)
        assert hypervolume(points, reference, senses) == pytest.approx(expected, abs=1e-9)


def test_two_steps_of_a_front_are_an_area_that_one_can_draw() -> None:
    points = [(90.0, 300.0), (80.0, 100.0), (70.0, 200.0)]
    assert hypervolume(points, (20.0, 400.0), ["maximise", "minimise"]) == 70 * 100 + 60 * 200


def test_a_point_that_is_no_better_than_the_reference_in_every_objective_counts_nothing() -> None:
    senses: list[Sense] = ["maximise", "minimise"]
    assert hypervolume([(20.0, 1.0), (90.0, 400.0), (10.0, 500.0)], (20.0, 400.0), senses) == 0
    assert hypervolume([], (20.0, 400.0), senses) == 0
