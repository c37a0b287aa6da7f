import pytest

from sweeper.space.distribution import holds, told, tried, values
from sweeper.space.search_schema import Distribution


def of(**written: object) -> Distribution:
    return Distribution.model_validate(written)


KINDS = of(choice=["plus", "minus"])
WHOLE = of(int=[2, 16])
EVEN = of(int=[2, 9], step=2)
RATE = of(log_uniform=[1e-3, 1e-1])
SHARE = of(uniform=[0.8, 1.2], step=0.1)


@pytest.mark.parametrize(
    ("given", "value", "expected"),
    [
        (KINDS, "plus", True),
        (KINDS, "sideways", False),
        (of(choice=[[1, 2], None]), [1, 2], True),
        (of(choice=[[1, 2], None]), [2, 1], False),
        (WHOLE, 2, True),
        (WHOLE, 17, False),
        (WHOLE, 3.0, False),
        (WHOLE, True, False),
        (WHOLE, "3", False),
        (EVEN, 8, True),
        (EVEN, 9, False),
        (RATE, 1e-3, True),
        (RATE, 1, False),
        (RATE, float("nan"), False),
        (SHARE, 1.1, True),
        (SHARE, 0.8, True),
        (SHARE, 1.15, False),
        (SHARE, float("inf"), False),
        (of(uniform=[0, 1], step=1e-5), 0.12345, True),
    ],
)
def test_what_may_be_suggested(given: Distribution, value: object, expected: bool) -> None:
    assert holds(given, value) is expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (KINDS, ["plus", "minus"]),
        (of(int=[2, 5]), [2, 3, 4, 5]),
        (EVEN, [2, 4, 6, 8]),
        (of(uniform=[0, 1], step=0.25), [0, 0.25, 0.5, 0.75, 1]),
        (RATE, None),
        (of(uniform=[0, 1]), None),
        (of(int=[0, 10**9]), None),
    ],
)
def test_all_that_may_be_suggested(given: Distribution, expected: list[object] | None) -> None:
    assert values(given) == expected


def test_the_largest_value_is_reached_by_steps_that_no_float_holds_truly() -> None:
    for step in (0.05, 0.01, 0.003, 0.1):
        given = of(uniform=[0.8, 0.8 + 30 * step], step=step)
        found = values(given)
        assert found is not None
        assert len(found) == 31
        assert all(holds(given, tried(given, value)) for value in found)


def test_numbers_are_tried_in_few_digits_within_their_bounds() -> None:
    assert tried(RATE, 0.012345678) == 0.01235
    assert tried(of(uniform=[0.12344, 0.5]), 0.12344) == 0.12344  # not 0.1234
    assert tried(of(log_uniform=[1e-3, 0.12346]), 0.12346) == 0.12346  # not 0.1235


def test_numbers_between_bounds_that_lie_close_are_still_told_apart() -> None:
    narrow = of(uniform=[10000, 10001])
    assert len({tried(narrow, 10000 + share / 100) for share in range(100)}) == 100


def test_a_number_of_steps_is_tried_as_it_is() -> None:
    assert tried(of(uniform=[1000, 1001], step=0.25), 1000.25) == 1000.25
    assert tried(of(uniform=[0, 1], step=1e-5), 0.12345) == 0.12345
    assert tried(of(uniform=[0.8, 0.95], step=0.05), 0.8 + 3 * 0.05) == 0.95  # and not 0.9500000000000001


def test_a_choice_is_tried_as_it_was_written() -> None:
    assert tried(of(choice=[[1, 2], [2, 1]]), "[2, 1]") == [2, 1]
    assert tried(of(choice=[{"b": 1, "a": 2}]), '{"a": 2, "b": 1}') == {"a": 2, "b": 1}
    assert tried(of(choice=[None, False]), None) is None
    assert type(tried(of(choice=[1, True, 1.5]), True)) is bool
    assert type(tried(of(choice=[True, 1]), 1)) is int


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (KINDS, "one of plus, minus"),
        (WHOLE, "whole numbers from 2 to 16"),
        (EVEN, "whole numbers from 2 to 9 in steps of 2"),
        (RATE, "numbers from 0.001 to 0.1 on a log scale"),
        (SHARE, "numbers from 0.8 to 1.2 in steps of 0.1"),
        (of(int=[2, 16], when="case != 'none'"), "whole numbers from 2 to 16, when case != 'none'"),
    ],
)
def test_distributions_in_words(given: Distribution, expected: str) -> None:
    assert told(given) == expected
