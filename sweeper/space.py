"""Search spaces: a YAML file becomes a list of trials, every one with a complete, validated config."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from sweeper.errors import InvalidConfig, SweeperError
from sweeper.format import SpaceFile, Table, message_of, parse_space
from sweeper.source import Document, nearest, parse_value, read_yaml
from sweeper.trainable import Trainable, dotted_fields, find_trainable

T = TypeVar("T")
COST_COLUMNS = ("seconds", "seconds_saved")
"""What every row of the results has beside facts and metrics, see `sweeper.results`."""


@dataclass(frozen=True)
class Override:
    """A value for a dotted name and where the user wrote it."""

    value: Any
    where: str


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
    seed: int
    config: BaseModel
    facts: Mapping[str, float]
    origins: Origins

    @property
    def label(self) -> str:
        """A readable name such as ``40-54 · seed 1``."""
        return " · ".join([*(str(value) for value in self.row.values()), f"seed {self.seed}"])


@dataclass(frozen=True)
class Space:
    """A validated search space."""

    name: str
    trainable: Trainable
    table: Table
    trials: Sequence[Trial]

    def check(self) -> None:
        """Check that every trial can run here. Raises SweeperError at the value in the way."""
        for trial in self.trials:
            trial.origins.attempt(partial(self.trainable.check, trial.config))


def load_space(
    path: Path, *, sets: Sequence[str] = (), seeds: str | None = None, preset: str | None = None
) -> Space:
    """Read a search space and apply the command line's overrides.

    Raises SweeperError, with file, line and column, for whatever the format or the trainable's config refuses.
    Nothing is written, and nothing heavy is imported until the types of every trial are checked.
    """
    document = read_yaml(path)
    file = parse_space(document, seeds)
    trainable = _find(document, file.trainable)
    fixed, axes = _overrides(document, file, sets)
    fields = dict(dotted_fields(trainable.config))
    for name, each in [*fixed.items(), *((name, values[0]) for name, values in axes.items())]:
        _check_name(name, each, document, list(fields))
    named, where = (preset, "--preset") if preset else (file.preset, document.where("preset"))
    if named not in trainable.presets:
        raise SweeperError(f"unknown preset '{named}'", fix=nearest(named, trainable.presets), where=where)
    base = trainable.presets[named]
    meanings = {name: f"{field.description}, in preset {named} {_value(base, name)}" for name, field in fields.items()}
    points = [
        Origins(where, fixed | dict(zip(axes, point, strict=True)), meanings)
        for point in itertools.product(*axes.values())
    ]
    trials = _trials(trainable, base, points, list(axes), file.seeds)
    table = file.table or Table(rows=list(axes) or ["seed"], columns=sorted(trials[0].facts) or ["seed"])
    _check_table(document, table, list(fields), [*trials[0].facts, *trainable.metrics, *COST_COLUMNS, *fields])
    changed = [preset] if preset and preset != file.preset else []
    return Space("-".join([file.name, *changed, *(_slug(each) for each in sets)]), trainable, table, trials)


def _trials(
    trainable: Trainable, base: BaseModel, points: Sequence[Origins], axes: Sequence[str], seeds: Sequence[int]
) -> list[Trial]:
    """Every point with every seed. The types of all configs are checked before the first facts are counted."""
    configs = [(point, seed, _config(trainable, base, point, seed)) for point in points for seed in seeds]
    return [
        Trial(
            row={name: point.overrides[name].value for name in axes},
            seed=seed,
            config=config,
            facts=point.attempt(partial(trainable.facts, config)),
            origins=point,
        )
        for point, seed, config in configs
    ]


def _find(document: Document, name: str) -> Trainable:
    try:
        return find_trainable(name)
    except SweeperError as error:
        raise SweeperError(error.message, fix=error.fix, where=document.where("trainable")) from None


def _overrides(
    document: Document, file: SpaceFile, sets: Sequence[str]
) -> tuple[dict[str, Override], dict[str, list[Override]]]:
    fixed = {name: Override(value, document.where("fixed", name)) for name, value in file.fixed.items()}
    axes = {
        name: [Override(value, document.where("axes", name, index)) for index, value in enumerate(values)]
        for name, values in file.axes.items()
    }
    for name, values in axes.items():
        if name in fixed:
            where = document.where("axes", name, key=True)
            raise SweeperError(f"'{name}' is both fixed and an axis", fix="remove one of the two", where=where)
        seen: set[str] = set()
        for each in values:
            if (text := json.dumps(each.value, sort_keys=True, default=str)) in seen:
                raise SweeperError(f"{name}: {each.value!r} is given twice", fix="remove one", where=each.where)
            seen.add(text)
    for assignment in sets:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise SweeperError("expected NAME=VALUE", fix="such as --set adapter.lr=1e-3", where=f"--set {assignment}")
        axes.pop(name, None)
        fixed[name] = Override(parse_value(text), f"--set {assignment}")
    return fixed, axes


def _check_name(name: str, override: Override, document: Document, names: Sequence[str]) -> None:
    if name == "seed":
        raise SweeperError("'seed' is set by seeds", fix="list the seeds: seeds: [0, 1, 2]", where=override.where)
    if name not in names:
        in_file = override.where.startswith(f"{document.path}:")
        section = "axes" if name in document.value.get("axes", {}) else "fixed"
        where = document.where(section, name, key=True) if in_file else override.where
        known = [each for each in names if each != "seed"]
        raise SweeperError(f"unknown name '{name}'", fix=nearest(name, known), where=where)


def _config(trainable: Trainable, base: BaseModel, origins: Origins, seed: int) -> BaseModel:
    values = base.model_dump()
    for name, value in [*((name, each.value) for name, each in origins.overrides.items()), ("seed", seed)]:
        *parents, last = name.split(".")
        target = values
        for parent in parents:
            target = target[parent]
        target[last] = value
    return origins.attempt(lambda: trainable.config.model_validate(values))


def _check_table(document: Document, table: Table, names: Sequence[str], columns: Sequence[str]) -> None:
    for index, name in enumerate([table.rows] if isinstance(table.rows, str) else table.rows):
        if name not in names:
            where = document.where("table", "rows", index)
            raise SweeperError(f"table: unknown name '{name}'", fix=nearest(name, names), where=where)
    for index, name in enumerate(table.columns):
        if name not in columns:
            where = document.where("table", "columns", index)
            raise SweeperError(f"table: unknown column '{name}'", fix=nearest(name, columns), where=where)


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
