"""Search spaces: a YAML file becomes a list of trials, every one with a complete, validated config."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from sweeper.errors import InvalidConfig, SweeperError
from sweeper.source import Document, nearest, parse_value, read_yaml
from sweeper.trainable import Trainable, dotted_fields, find_trainable


def parse_seeds(value: Any) -> Any:
    """Seeds from ``[0, 1, 2]``, ``"0-4"``, ``"0,2,5"`` or one number. Raises PydanticCustomError."""
    if isinstance(value, str) and re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", value.replace(" ", "")):
        bounds = [part.split("-") for part in value.replace(" ", "").split(",")]
        value = [seed for part in bounds for seed in range(int(part[0]), int(part[-1]) + 1)]
    good = isinstance(value, list) and all(type(seed) is int and 0 <= seed < 2**31 for seed in value)
    if not good or not value or len(set(value)) != len(value):
        raise PydanticCustomError("seeds", "expected distinct whole numbers from 0, such as [0, 1, 2] or 0-4")
    return value


Seeds = Annotated[tuple[int, ...], BeforeValidator(parse_seeds)]


class Table(BaseModel):
    """How finished trials become a table: seeds are averaged within the rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    rows: str | list[str] = Field(description="dotted name whose values are the rows, or a list of such names")
    columns: list[str] = Field(description="facts and metrics, in order", min_length=1)
    published: str | None = Field(None, description="published values beside ours: file/table of analysis/published")


class SpaceFile(BaseModel):
    """The format of a search space's YAML file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field(description="name of the sweep and its results", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    trainable: str = Field(description="what is swept: a package in trainables/, or a dotted module path")
    preset: str = Field(description="the complete config that overrides start from")
    seeds: Seeds = Field((0,), description="seeds: [0, 1, 2] or 0-4")
    fixed: dict[str, Any] = Field({}, description="overrides that every trial shares")
    axes: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field({}, description="values by name: the grid")
    table: Table | None = Field(None, description="the table that the sweep ends with")


@dataclass(frozen=True)
class Trial:
    """One continual run: its place in the table, its seed and its complete config."""

    row: Mapping[str, Any]
    seed: int
    config: BaseModel
    facts: Mapping[str, float]

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


@dataclass(frozen=True)
class Override:
    """A value for a dotted name and where the user wrote it."""

    value: Any
    where: str


def load_space(
    path: Path, *, sets: Sequence[str] = (), seeds: str | None = None, preset: str | None = None
) -> Space:
    """Read a search space and apply the command line's overrides.

    Raises SweeperError, with file, line and column, for whatever the format or the trainable's config refuses.
    Nothing is written and nothing heavy is imported until every trial's types are checked.
    """
    document = read_yaml(path)
    file = _parse(document, seeds)
    trainable = _at(document.where("trainable"), find_trainable, file.trainable)
    overrides, axes = _overrides(document, file, sets)
    names = [name for name, _ in dotted_fields(trainable.config)]
    for name, each in [*overrides.items(), *((name, values[0]) for name, values in axes.items())]:
        _check_name(name, each, document, names)
    base = _preset(trainable, preset or file.preset, "--preset" if preset else document.where("preset"))
    points = [overrides | dict(zip(axes, point, strict=True)) for point in itertools.product(*axes.values())]
    grid = [
        (point, seed, _config(trainable, base, point, seed, document)) for point in points for seed in file.seeds
    ]
    trials = [
        Trial({name: point[name].value for name in axes}, seed, config, _facts(trainable, config, point, document))
        for point, seed, config in grid
    ]
    table = file.table or Table(rows=list(axes) or ["seed"], columns=sorted(trials[0].facts) or ["seed"])
    _check_table(document, table, names)
    changed = [preset] if preset and preset != file.preset else []
    return Space("-".join([file.name, *changed, *(_slug(each) for each in sets)]), trainable, table, trials)


def _parse(document: Document, seeds: str | None) -> SpaceFile:
    value = document.value
    if not isinstance(value, dict):
        raise SweeperError("expected names and values, such as name: layers", where=document.where())
    try:
        file = SpaceFile.model_validate(value)
        return file if seeds is None else SpaceFile.model_validate(value | {"seeds": seeds})
    except ValidationError as error:
        first = error.errors()[0]
        if seeds is not None and first["loc"] == ("seeds",):
            raise SweeperError(_message(first), where=f"--seeds {seeds}") from None
        loc = [step for step in first["loc"] if isinstance(step, int) or step not in ("str", "list[str]")]
        known = Table.model_fields if loc[0] == "table" else SpaceFile.model_fields
        if first["type"] == "extra_forbidden":
            where = document.where(*loc, key=True)
            raise SweeperError(f"unknown key '{loc[-1]}'", fix=nearest(str(loc[-1]), known), where=where) from None
        if first["type"] == "missing":
            fix = f"add it: {known[str(loc[-1])].description}"
            raise SweeperError(f"'{loc[-1]}' is missing", fix=fix, where=document.where(*loc)) from None
        fix = known[str(loc[0] if known is SpaceFile.model_fields else loc[1])].description
        raise SweeperError(_message(first, loc), fix=fix, where=document.where(*loc)) from None


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
        section = "axes" if in_file and name in document.value.get("axes", {}) else "fixed"
        where = document.where(section, name, key=True) if in_file else override.where
        raise SweeperError(f"unknown name '{name}'", fix=nearest(name, names), where=where)


def _preset(trainable: Trainable, name: str, where: str) -> BaseModel:
    if name not in trainable.presets:
        raise SweeperError(f"unknown preset '{name}'", fix=nearest(name, trainable.presets), where=where)
    return trainable.presets[name]


def _config(
    trainable: Trainable, base: BaseModel, overrides: Mapping[str, Override], seed: int, document: Document
) -> BaseModel:
    values = base.model_dump()
    for name, value in [*((name, each.value) for name, each in overrides.items()), ("seed", seed)]:
        *parents, last = name.split(".")
        target = values
        for parent in parents:
            target = target[parent]
        target[last] = value
    try:
        return trainable.config.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(step) for step in first["loc"])
        raise SweeperError(_message(first), where=_where(name, overrides, document)) from None


def _facts(
    trainable: Trainable, config: BaseModel, overrides: Mapping[str, Override], document: Document
) -> dict[str, float]:
    try:
        return trainable.facts(config)
    except InvalidConfig as error:
        raise SweeperError(error.message, fix=error.fix, where=_where(error.field, overrides, document)) from None


def _where(name: str, overrides: Mapping[str, Override], document: Document) -> str:
    """Where the value behind an error at ``name`` was written: itself, its parent, or a part of it."""
    for candidate in itertools.chain(_prefixes(name), (each for each in overrides if each.startswith(name))):
        if candidate in overrides:
            return overrides[candidate].where
    return document.where("preset")


def _prefixes(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.rpartition(".")[0]


def _check_table(document: Document, table: Table, names: Sequence[str]) -> None:
    for name in [table.rows] if isinstance(table.rows, str) else table.rows:
        if name not in names:
            where = document.where("table", "rows")
            raise SweeperError(f"table: unknown name '{name}'", fix=nearest(name, names), where=where)


def _message(error: ErrorDetails, loc: Sequence[str | int] | None = None) -> str:
    name = ".".join(str(step) for step in (error["loc"] if loc is None else loc))
    text = error["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
    text = text[0].lower() + text[1:]
    given = error["input"]
    return f"{name}: {text}, got {'none' if given is None else repr(given)}"


def _at(where: str, find: Any, name: str) -> Trainable:
    try:
        found: Trainable = find(name)
    except SweeperError as error:
        raise SweeperError(error.message, fix=error.fix, where=where) from None
    return found


def _slug(assignment: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.=,-]+", "_", assignment)
