"""Search spaces: a YAML document becomes a list of trials, every one with a complete, validated config."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from analysis.published import published_names
from sweeper.errors import InvalidConfig, SweeperError, nearest
from sweeper.format import Table, message_of, parse_space
from sweeper.grid import CASE, Override, read_grid
from sweeper.resources import ResourceChanges
from sweeper.source import Document
from sweeper.trainable import Trainable, dotted_fields, find_trainable

T = TypeVar("T")


@dataclass(frozen=True)
class Origins:
    """Where the values of a trial's config were written, and what the config says of them."""

    preset_where: str
    overrides: Mapping[str, Override]
    meanings: Mapping[str, str]

    def where(self, name: str) -> str:
        """Where the value behind an error at ``name`` was written: itself, its parent, or a part of it."""
        for candidate in [*_prefixes(name), *(each for each in self.overrides if each.startswith(f"{name}."))]:
            if candidate in self.overrides:
                return self.overrides[candidate].where
        return self.preset_where

    def attempt(self, action: Callable[[], T]) -> T:
        """Do something with the config, and say where the value stands that is refused. Raises SweeperError."""
        try:
            return action()
        except InvalidConfig as error:
            raise SweeperError(error.message, fix=error.fix, where=self.where(error.field)) from None
        except ValidationError as error:
            first = error.errors()[0]
            context = first.get("ctx", {})
            name = ".".join(str(step) for step in [*first["loc"], *([context["field"]] if "field" in context else [])])
            known = next((each for each in _prefixes(name) if each in self.meanings), None)
            fix = context.get("fix") or (f"{known} is {self.meanings[known]}" if known else None)
            raise SweeperError(message_of(first), fix=fix, where=self.where(name)) from None


@dataclass(frozen=True)
class Trial:
    """One continual run: its place in the table, its seed and its complete config."""

    row: Mapping[str, Any]
    """The name of its case, where there are cases, and the value of every axis, as written."""
    seed: int
    config: BaseModel
    facts: Mapping[str, float]
    origins: Origins

    @property
    def label(self) -> str:
        """A readable name such as ``40-54 · seed 1``, or ``rshift · 40-54 · seed 1`` with cases."""
        return " · ".join([*(str(value) for value in self.row.values()), f"seed {self.seed}"])


@dataclass(frozen=True)
class Space:
    """A validated search space."""

    name: str
    trainable: Trainable
    table: Table
    trials: Sequence[Trial]
    resources: Mapping[str, ResourceChanges]
    """What the space changes of the requests of stages, by the stage's label."""
    where: Callable[..., str]
    """Where a part of the file stands, such as ``("resources", "train_base")``."""

    def check(self) -> None:
        """Check that every trial can run here. Raises SweeperError at the value in the way."""
        for trial in self.trials:
            trial.origins.attempt(partial(self.trainable.check, trial.config))


def load_space(document: Document, *, sets: Sequence[str], seeds: str | None, preset: str | None) -> Space:
    """A search space under the command line's overrides.

    Raises SweeperError, with file, line and column, for whatever the format or the trainable's config refuses.
    Nothing is written, and nothing heavy is imported until the types of every trial are checked.
    """
    file = parse_space(document, seeds)
    trainable = _find(document, file.trainable)
    grid = read_grid(document, file, sets)
    fields = dict(dotted_fields(trainable.config))
    grid.check_names(list(fields))
    named, where = preset or file.preset, document.where("preset")
    if preset:
        where = f"{document.path} with --preset {preset}"
    if named not in trainable.presets:
        raise SweeperError(f"unknown preset '{named}'", fix=nearest(named, trainable.presets), where=where)
    base = trainable.presets[named]
    meanings = {name: f"{field.description}, in preset {named} {_value(base, name)}" for name, field in fields.items()}
    points = [(row, Origins(where, overrides, meanings)) for row, overrides in grid.points()]
    trials = _trials(trainable, base, points, file.seeds)
    table = file.table or Table(rows=list(trials[0].row) or ["seed"], columns=sorted(trials[0].facts) or ["seed"])
    columns = [*trials[0].facts, *trainable.metrics, *trainable.cost_columns, *fields]
    _check_table(document, table, [*([CASE] if grid.cases else []), *fields], columns)
    changed = [preset] if preset and preset != file.preset else []
    name = "-".join([file.name, *changed, *(_slug(each) for each in sets)])
    return Space(name, trainable, table, trials, file.resources, document.where)


def _trials(
    trainable: Trainable, base: BaseModel, points: Sequence[tuple[Mapping[str, Any], Origins]], seeds: Sequence[int]
) -> list[Trial]:
    """Every point with every seed. The types of all configs are checked before the first facts are counted."""
    configs = [
        (row, point, seed, point.attempt(partial(trainable.config.model_validate, {**values, "seed": seed})))
        for row, point in points
        for values in [_changed(base, {name: each.value for name, each in point.overrides.items()})]
        for seed in seeds
    ]
    return [
        Trial(row, seed, config, facts=point.attempt(partial(trainable.facts, config)), origins=point)
        for row, point, seed, config in configs
    ]


def _find(document: Document, name: str) -> Trainable:
    try:
        return find_trainable(name)
    except SweeperError as error:
        raise SweeperError(error.message, fix=error.fix, where=document.where("trainable")) from None


def _changed(part: BaseModel, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a part of a config under changes by dotted name. Parts without a change stay the same objects."""
    values = dict(part)
    inner: dict[str, dict[str, Any]] = {}
    for name, value in changes.items():
        head, _, rest = name.partition(".")
        if rest:
            inner.setdefault(head, {})[rest] = value
        else:
            values[head] = value
    for head, below in inner.items():
        unchecked = _changed(values[head], below)
        with contextlib.suppress(ValidationError):  # the whole config tells it, by its full name
            unchecked = type(values[head]).model_validate(unchecked)
        values[head] = unchecked
    return values


def _check_table(document: Document, table: Table, names: Sequence[str], columns: Sequence[str]) -> None:
    for index, name in enumerate([table.rows] if isinstance(table.rows, str) else table.rows):
        if name not in names:
            fix = "give the space cases, or name an axis" if name == CASE else nearest(name, names)
            where = document.where("table", "rows", index)
            raise SweeperError(f"table: unknown name '{name}'", fix=fix, where=where)
    for index, name in enumerate(table.columns):
        if name not in columns:
            where = document.where("table", "columns", index)
            raise SweeperError(f"table: unknown column '{name}'", fix=nearest(name, columns), where=where)
    if table.published and table.published not in published_names():
        fix, where = nearest(table.published, published_names()), document.where("table", "published")
        raise SweeperError(f"no published values called '{table.published}'", fix=fix, where=where)


def _prefixes(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.rpartition(".")[0]


def _value(config: BaseModel, name: str) -> Any:
    value: Any = config
    for part in name.split("."):
        value = getattr(value, part)
    return value


def _slug(assignment: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.=,-]+", "_", assignment)
