"""Distributions of a searched name: whether they hold anything, what they hold, and how they are told."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

from sweeper.errors import SweeperError
from sweeper.space.search_schema import Distribution

KINDS = ("choice", "int", "uniform", "log_uniform")
DIGITS = 4
"""Of a number, as far as it lies between its bounds."""
STEP_DIGITS = 12
"""Of a number that is so many steps away from the least: 0.95, not 0.9500000000000001."""
MOST_VALUES = 100_000
"""More are no list to go through one by one."""
Where = Callable[..., str]


def check_distribution(name: str, given: Distribution, where: Where) -> None:
    """Check that a distribution is one, and not empty.

    Args:
        name: what is searched.
        given: its distribution as it is written.
        where: the place of a part of it.

    Raises SweeperError.
    """
    kinds = [kind for kind in KINDS if _bounds(given, kind) is not None]
    if len(kinds) != 1:
        told = f"both {kinds[0]} and {kinds[1]}" if kinds else "no distribution"
        message, fix = f"{name} has {told}", f"give it one of {', '.join(KINDS)}"
        raise SweeperError(message, fix=fix, where=where(key=True))
    if given.step is not None and kinds[0] not in ("int", "uniform"):
        raise SweeperError(f"{name}: {kinds[0]} takes no step", fix="remove it", where=where("step", key=True))
    if given.choice is not None:
        _check_choice(name, given.choice, where)
    else:
        _check_bounds(name, given, kinds[0], where)


def ends(given: Distribution) -> Sequence[tuple[Any, tuple[str | int, ...]]]:
    """Values that show whether the config takes what is suggested, each with its place within the distribution: all
    choices, or the least and the largest."""
    (kind,) = (kind for kind in KINDS if _bounds(given, kind) is not None)
    return [(value, (kind, index)) for index, value in enumerate(_bounds(given, kind) or ())]


def holds(given: Distribution, value: Any) -> bool:
    """Whether a value may be suggested."""
    if given.choice is not None:
        return token(value) in map(token, given.choice)
    if isinstance(value, bool) or not isinstance(value, int if given.whole else int | float):
        return False
    low, high = _ends(given)
    if not low <= value <= high:
        return False
    steps = (value - low) / given.step if given.step else 0.0
    return math.isclose(steps, round(steps), rel_tol=0, abs_tol=1e-6)


def values(given: Distribution) -> Sequence[Any] | None:
    """All that may be suggested, in order; None where that is a continuum, or more than MOST_VALUES."""
    if given.choice is not None:
        return given.choice
    low, high = _ends(given)
    step = given.step or (1 if given.whole else None)
    if step is None or (high - low) / step > MOST_VALUES:
        return None
    found = [low + index * step for index in range(math.floor((high - low) / step * (1 + 1e-12)) + 1)]
    return [int(each) for each in found] if given.whole else found


def token(value: Any) -> bool | int | float | str | None:
    """A choice as a study keeps it: lists as text."""
    return value if value is None or isinstance(value, bool | int | float | str) else json.dumps(value, sort_keys=True)


def tried(given: Distribution, drawn: Any) -> Any:
    """What is tried where a study has drawn a value: the choice that its token stands for, or the number in few digits.

    More would make every label unreadable, and mean nothing.
    """
    if given.choice is not None:
        equal = [each for each in given.choice if token(each) == drawn]
        return next((each for each in equal if type(token(each)) is type(drawn)), equal[0])
    if given.whole:
        return drawn
    low, high = _ends(given)
    return min(max(float(f"{drawn:.{_digits(given, low, high)}g}"), low), high)


def told(given: Distribution) -> str:
    """In words, such as ``whole numbers from 2 to 16, when case != 'none'``."""
    if given.choice is not None:
        text = f"one of {', '.join(str(each) for each in given.choice)}"
    else:
        low, high = _ends(given)
        kind = "whole numbers" if given.whole else "numbers"
        by = f" by {given.step:g}" if given.step else ", evenly in their logarithm" if given.log_uniform else ""
        text = f"{kind} from {low:g} to {high:g}{by}"
    return f"{text}, when {given.when}" if given.when else text


def _digits(given: Distribution, low: float, high: float) -> int:
    """That tell numbers between two bounds apart, however near these are to one another."""
    if given.step:
        return STEP_DIGITS
    common = math.log10(max(abs(low), abs(high)) / (high - low)) if high > low else 0.0
    return DIGITS + max(0, math.floor(common))


def _bounds(given: Distribution, kind: str) -> Sequence[Any] | None:
    found: Sequence[Any] | None = getattr(given, "whole" if kind == "int" else kind)
    return found


def _ends(given: Distribution) -> tuple[float, float]:
    found = given.whole or given.uniform or given.log_uniform
    if found is None:
        raise TypeError("a choice has no bounds")
    return found


def _check_choice(name: str, choice: Sequence[Any], where: Where) -> None:
    seen: set[str] = set()
    for index, value in enumerate(choice):
        if isinstance(value, float) and not math.isfinite(value):
            raise SweeperError(f"{name}: {value} is not finite", fix="remove it", where=where("choice", index))
        if (text := json.dumps(value, sort_keys=True, default=str)) in seen:
            raise SweeperError(f"{name}: {value!r} is given twice", fix="remove one", where=where("choice", index))
        seen.add(text)


def _check_bounds(name: str, given: Distribution, kind: str, where: Where) -> None:
    low, high = _ends(given)
    if not (math.isfinite(low) and math.isfinite(high)):
        message = f"{name}: {kind} from {low:g} to {high:g} is infinite"
        raise SweeperError(message, fix="give two finite numbers", where=where(kind))
    if low > high:
        message = f"{name}: {kind} from {low:g} to {high:g} is reversed"
        raise SweeperError(message, fix="give the lower bound first", where=where(kind))
    if given.log_uniform and low <= 0:
        message = f"{name}: a logarithmic range cannot start at {low:g}"
        raise SweeperError(message, fix="use bounds above 0, or uniform", where=where(kind, 0))
    if given.step is not None and given.whole and given.step != int(given.step):
        raise SweeperError(f"{name}: the step of int must be a whole number", fix="such as 2", where=where("step"))
