"""Trials: the points of a grid that satisfy the condition, for every repeat, each with a complete, validated config."""

from __future__ import annotations

import contextlib
import itertools
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from sweeper.errors import InvalidConfig, SweeperError
from sweeper.space.condition import Condition
from sweeper.space.grid import Override
from sweeper.space.repeat import SEED, Repeats, told
from sweeper.space.schema import message_of
from sweeper.trainable.trainable import Trainable

T = TypeVar("T")
BITS = 63
"""Bits, without the sign, of the whole numbers that results can hold."""


@dataclass(frozen=True)
class Origins:
    """Locations of the values of a trial's config, and descriptions of its fields."""

    preset_where: str
    overrides: Mapping[str, Override]
    meanings: Mapping[str, str]
    repeated: Mapping[str, str]
    """Locations of the values of repeated names."""

    @property
    def values(self) -> dict[str, Any]:
        """The overriding values by dotted name."""
        return {name: each.value for name, each in self.overrides.items()}

    def where(self, name: str) -> str:
        """Return the location of the value behind an error at ``name``: of itself, a parent, or a part of it."""
        places = {**{each: override.where for each, override in self.overrides.items()}, **self.repeated}
        for candidate in [*_prefixes(name), *(each for each in places if each.startswith(f"{name}."))]:
            if candidate in places:
                return places[candidate]
        return self.preset_where

    def attempt(self, action: Callable[[], T]) -> T:
        """Run an action on the config. Raises SweeperError, at the location of the value, if it rejects one."""
        try:
            return action()
        except InvalidConfig as error:
            raise SweeperError(error.message, fix=error.fix, where=self.where(error.field)) from None
        except ValidationError as error:
            first = error.errors()[0]
            context = first.get("ctx", {})
            name = ".".join(str(step) for step in [*first["loc"], *([context["field"]] if "field" in context else [])])
            known = next((each for each in _prefixes(name) if each in self.meanings), None)
            fix = context.get("fix") or (f"{known}: {self.meanings[known]}" if known else None)
            raise SweeperError(message_of(first), fix=fix, where=self.where(name)) from None


@dataclass(frozen=True)
class Trial:
    """A trial: its row in the table, its seed and other repeats, and its complete config."""

    row: Mapping[str, Any]
    """The name of its case, if the space has cases, and the value of every name that varies, as written."""
    repeats: Mapping[str, int]
    """The values of the repeated names, the seed first."""
    config: BaseModel
    facts: Mapping[str, float]
    origins: Origins

    @property
    def seed(self) -> int:
        """The seed of the trial."""
        return self.repeats[SEED]

    @property
    def label(self) -> str:
        """A readable name such as ``40-54 · seed 1``, with cases ``rshift · 40-54 · seed 1``."""
        return _label(self.row, self.repeats)


@dataclass(frozen=True)
class Candidate:
    """A trial before its config is checked."""

    row: Mapping[str, Any]
    repeats: Mapping[str, int]
    origins: Origins

    @property
    def label(self) -> str:
        """The label of the trial."""
        return _label(self.row, self.repeats)


def candidates(points: Iterable[tuple[Mapping[str, Any], Origins]], repeats: Repeats) -> list[Candidate]:
    """Combine every point with every combination of repeats."""
    return [Candidate(row, each, origins) for (row, origins), each in itertools.product(points, repeats.all())]


def kept(found: Sequence[Candidate], condition: Condition, values: Mapping[str, Any]) -> list[Candidate]:
    """Return the candidates that satisfy the condition.

    Args:
        found: the candidates.
        condition: the condition.
        values: the preset's values by dotted name.

    Raises SweeperError if no candidate satisfies it.
    """
    chosen = [each for each in found if condition.holds({**values, **each.row, **each.origins.values, **each.repeats})]
    if not chosen:
        fix = f"relax the condition: it is false for all {len(found):,} trials"
        raise SweeperError("where excludes every trial", fix=fix, where=condition.where)
    return chosen


def make_trials(
    trainable: Trainable, base: BaseModel, found: Sequence[Candidate]
) -> tuple[list[Trial], list[tuple[str, str]]]:
    """Return the trials with distinct configs, and the labels of duplicates, each with the label of the trial kept.

    The types of all configs are checked before any facts are computed. Raises SweeperError for an invalid config.
    """
    first: dict[str, tuple[Candidate, BaseModel]] = {}
    duplicates = []
    for _, group in itertools.groupby(found, key=lambda each: id(each.origins)):
        repeated = list(group)
        values = changed(base, repeated[0].origins.values)
        for each in repeated:
            complete = changed(values, each.repeats)
            config = each.origins.attempt(partial(trainable.config.model_validate, complete))
            same, _ = first.setdefault(each.origins.attempt(partial(_canonical, config)), (each, config))
            if same is not each:
                duplicates.append((each.label, same.label))
    trials = []
    for each, config in first.values():
        facts = each.origins.attempt(partial(trainable.facts_of, config))
        trials.append(Trial(each.row, each.repeats, config, facts, each.origins))
    return trials, duplicates


def value_at(values: Mapping[str, Any], name: str) -> Any:
    """Return the value of a dotted name in nested values."""
    found: Any = reduce(lambda inner, part: inner[part], name.split("."), values)
    return found


def changed(part: BaseModel | Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a part of a config with changes by dotted name. Unchanged parts stay the same objects."""
    values = dict(part)
    inner: dict[str, dict[str, Any]] = {}
    for name, value in changes.items():
        head, _, rest = name.partition(".")
        if rest:
            inner.setdefault(head, {})[rest] = value
        else:
            values[head] = value
    for head, below in inner.items():
        unchecked = changed(values[head], below)
        if isinstance(values[head], BaseModel):
            with contextlib.suppress(ValidationError):  # validating the whole config reports it, with its full name
                unchecked = type(values[head]).model_validate(unchecked)
        values[head] = unchecked
    return values


def _canonical(config: BaseModel) -> str:
    """Return a config as text, equal for equal ones. Raises InvalidConfig for a number that results cannot hold."""
    values = config.model_dump(mode="json")
    for name, value in _numbers(values, ""):
        if isinstance(value, float) and not math.isfinite(value):
            raise InvalidConfig(name, f"expected a finite number, got {value}")
        if isinstance(value, int) and value.bit_length() > BITS:
            bits = value.bit_length()
            raise InvalidConfig(name, f"expected a whole number of at most {BITS} bits, got one of {bits} bits")
    return json.dumps(values, sort_keys=True)


def _numbers(value: Any, name: str) -> Iterator[tuple[str, int | float]]:
    """Yield the numbers in a config's values, each with the dotted name of its field."""
    if isinstance(value, int | float):
        yield name, value
    elif isinstance(value, dict):
        for inner, each in value.items():
            yield from _numbers(each, f"{name}.{inner}" if name else inner)
    elif isinstance(value, list):
        for each in value:
            yield from _numbers(each, name)


def _label(row: Mapping[str, Any], repeats: Mapping[str, int]) -> str:
    return " · ".join([*(str(value) for value in row.values()), told(repeats)])


def _prefixes(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.rpartition(".")[0]
