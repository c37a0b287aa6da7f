import json
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from sweeper.trainable import parameter
from sweeper.trainable.parameter import Parameter


class Loose(BaseModel):
    rate: float


class Tight(BaseModel):
    model_config = ConfigDict(frozen=True)
    rate: float


class Listing(Tight):
    steps: list[int]


def anything() -> Parameter:
    return Parameter("x", Any)


@pytest.mark.parametrize(
    "values", [(1, 1.0, True, "1"), (0.0, -0.0, 0, False, None), ([1], [1.0], [True], ["1"]), ([[0.0]], [[-0.0]])]
)
def test_values_that_python_calls_equal_keep_their_own_json(values: tuple[Any, ...]) -> None:
    passed = anything()
    for value in [*values, *reversed(values)]:
        assert passed.value(value).text == f'"x":{json.dumps(value, separators=(",", ":"))}'


def test_what_is_passed_again_is_neither_checked_nor_written_again() -> None:
    model, numbers, number = Tight(rate=1e-3), Parameter("x", list[int]), Parameter("x", float)
    assert number.value(1000.5) is number.value(float("1000.5"))
    assert numbers.value([1, 2]) is numbers.value([1, 2])
    passed = Parameter("x", Tight)
    assert passed.met(id(model)) is None
    assert passed.value(model) is passed.met(id(model))


def test_what_has_changed_is_told_apart() -> None:
    passed, loose, listing, numbers = anything(), Loose(rate=1), Listing(rate=1, steps=[]), [1, 2]
    before = [passed.value(each).text for each in (loose, listing, numbers)]
    assert [passed.met(id(each)) for each in (loose, listing, numbers)] == [None] * 3
    loose.rate = 2
    listing.steps.append(1)
    numbers.append(3)
    after = [passed.value(each).text for each in (loose, listing, numbers)]
    assert all(one != other for one, other in zip(before, after, strict=True))


def test_a_memory_that_is_full_is_emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parameter, "KEPT", 10)
    passed = anything()
    for number in range(1000, 1100):
        assert passed.value(number).json == number
        assert len(passed._recent) <= 11


def test_a_wrong_type_is_refused_however_often_it_is_passed() -> None:
    passed = Parameter("x", int)
    for _ in range(2):
        with pytest.raises(ValidationError):
            passed.value("many")
