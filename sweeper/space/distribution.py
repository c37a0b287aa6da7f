"""Validate, enumerate, round and format the distributions of searched names."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

from sweeper.errors import SweeperError
from sweeper.space.search_schema import Distribution

KINDS = ("choice", "int", "uniform", "log_uniform")
DIGITS = 4
"""Significant digits of a suggested number, counted from the first that differs between its bounds."""
STEP_DIGITS = 12
"""Significant digits of a number on a grid of steps: 0.95, not 0.9500000000000001."""
MAX_VALUES = 100_000
"""Values that are enumerated at most."""
Where = Callable[..., str]


def check_distribution(name: str, given: Distribution, where: Where) -> None:
    """Check that a distribution is of exactly one kind and not empty.

    Args:
        name: the searched name.
        given: its distribution as written.
        where: returns the location of a part of the distribution.

    Raises SweeperError at the location of the fault.
    """
    kinds = [kind for kind in KINDS if _bounds(given, kind) is not None]
    if len(kinds) != 1:
        told = f"both {kinds[0]} and {kinds[1]}" if kinds else "no distribution"
        message, fix = f"{name} has {told}", f"use one of {', '.join(KINDS)}"
        raise SweeperError(message, fix=fix, where=where(key=True))
    if given.step is not None and kinds[0] not in ("int", "uniform"):
        message = f"{name}: {kinds[0]} does not take a step"
        raise SweeperError(message, fix="remove the step", where=where("step", key=True))
    if given.choice is not None:
        _check_choice(name, given.choice, where)
    else:
        _check_bounds(name, given, kinds[0], where)


def ends(given: Distribution) -> Sequence[tuple[Any, tuple[str | int, ...]]]:
    """Return the values to test a config with, all choices or the bounds, each with its path in the distribution."""
    (kind,) = (kind for kind in KINDS if _bounds(given, kind) is not None)
    return [(value, (kind, index)) for index, value in enumerate(_bounds(given, kind) or ())]


def holds(given: Distribution, value: Any) -> bool:
    """Check whether the distribution contains a value."""
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
    """Return all values in order; None for a continuous distribution or one of more than MAX_VALUES."""
    if given.choice is not None:
        return given.choice
    low, high = _ends(given)
    step = given.step or (1 if given.whole else None)
    if step is None or (high - low) / step > MAX_VALUES:
        return None
    found = [low + index * step for index in range(math.floor((high - low) / step * (1 + 1e-12)) + 1)]
    return [int(each) for each in found] if given.whole else found


def token(value: Any) -> bool | int | float | str | None:
    """Return a choice as a study stores it: lists and mappings as text."""
    return value if value is None or isinstance(value, bool | int | float | str) else json.dumps(value, sort_keys=True)


def tried(given: Distribution, drawn: Any) -> Any:
    """Return the value to try for one that a study has drawn: the choice of a token, or the number in few digits.

    More digits would carry no meaning and make labels unreadable.
    """
    if given.choice is not None:
        equal = [each for each in given.choice if token(each) == drawn]
        return next((each for each in equal if type(token(each)) is type(drawn)), equal[0])
    if given.whole:
        return drawn
    low, high = _ends(given)
    return min(max(float(f"{drawn:.{_digits(given, low, high)}g}"), low), high)


def told(given: Distribution) -> str:
    """Describe a distribution, such as ``whole numbers from 2 to 16, when case != 'none'``."""
    if given.choice is not None:
        text = f"one of {', '.join(str(each) for each in given.choice)}"
    else:
        low, high = _ends(given)
        kind = "whole numbers" if given.whole else "numbers"
        by = f" in steps of {given.step:g}" if given.step else " on a log scale" if given.log_uniform else ""
        text = f"{kind} from {low:g} to {high:g}{by}"
    return f"{text}, when {given.when}" if given.when else text


def _digits(given: Distribution, low: float, high: float) -> int:
    """Return how many significant digits tell numbers between two bounds apart, however close these are."""
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
        message = f"{name}: the bounds of {kind} must be finite, got {low:g} and {high:g}"
        raise SweeperError(message, fix="give two finite numbers", where=where(kind))
    if low > high:
        message = f"{name}: the bounds of {kind} are reversed: {low:g} is greater than {high:g}"
        raise SweeperError(message, fix="give the lower bound first", where=where(kind))
    if given.log_uniform and low <= 0:
        message = f"{name}: a logarithmic range cannot start at {low:g}"
        raise SweeperError(message, fix="use bounds above 0, or uniform", where=where(kind, 0))
    if given.step is not None and given.whole and given.step != int(given.step):
        message = f"{name}: the step of int must be a whole number, got {given.step:g}"
        raise SweeperError(message, fix="use a step such as 2", where=where("step"))
