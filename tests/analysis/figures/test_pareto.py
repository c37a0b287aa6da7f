import math
import random

from analysis.figures.pareto import pareto_front


def beats(one: tuple[float, float], other: tuple[float, float], sign: int) -> bool:
    """Whether neither number of the one is worse and one is better."""
    no_worse = one[0] <= other[0] and sign * one[1] >= sign * other[1]
    return no_worse and one != other


def test_the_front_holds_exactly_the_rows_that_no_other_row_beats() -> None:
    draw = random.Random(5)
    for higher, sign in ((True, 1), (False, -1)):
        for _ in range(200):
            points = [(float(draw.randint(0, 6)), float(draw.randint(0, 6))) for _ in range(draw.randint(0, 12))]
            unbeaten = {i for i, each in enumerate(points) if not any(beats(other, each, sign) for other in points)}
            front = pareto_front(points, higher)
            assert set(front) == unbeaten
            assert len(front) == len(unbeaten)
            assert [points[i] for i in front] == sorted((points[i] for i in front), key=lambda each: each[0])


def test_rows_that_are_equal_stand_together() -> None:
    assert pareto_front([(1, 5), (2, 6), (1, 5), (2, 5)]) == [0, 2, 1]


def test_a_row_without_a_number_neither_beats_nor_stands() -> None:
    assert pareto_front([(None, 99), (1, None), (0, math.nan), (math.nan, 99), (3, 1)]) == [4]
    assert pareto_front([]) == []
