"""The format of a sweep's YAML file, and what is said of a file that departs from it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from sweeper.errors import SweeperError, nearest
from sweeper.resources import ResourceChanges
from sweeper.source import Document


def parse_seeds(value: Any) -> Any:
    """Seeds from ``[0, 1, 2]``, ``"0-4"``, ``"0,2,5"`` or ``"3"``. Raises PydanticCustomError."""
    if isinstance(value, str) and re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", value.replace(" ", "")):
        bounds = [part.split("-") for part in value.replace(" ", "").split(",")]
        value = [seed for part in bounds for seed in range(int(part[0]), int(part[-1]) + 1)]
    good = isinstance(value, list) and all(type(seed) is int and 0 <= seed < 2**31 for seed in value)
    if not good or not value or len(set(value)) != len(value):
        raise PydanticCustomError("seeds", "expected distinct whole numbers from 0, such as [0, 1, 2] or 0-4")
    return value


F = TypeVar("F", bound=BaseModel)
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


class Table(BaseModel):
    """How finished trials become a table: seeds are averaged within the rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    rows: str | list[str] = Field(description="dotted name whose values are the rows, or case, or a list of these")
    columns: list[str] = Field(description="facts, metrics and seconds, in order", min_length=1)
    published: str | None = Field(None, description="published values beside ours: file/table of analysis/published")


class SpaceFile(BaseModel):
    """A search space as it is written."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: Name = Field(description="name of the sweep and its results")
    trainable: str = Field(description="what is swept: a package in trainables/, or a dotted module path")
    preset: str = Field(description="the complete config that overrides start from")
    seeds: Annotated[tuple[int, ...], BeforeValidator(parse_seeds)] = Field((0,), description="[0, 1, 2] or 0-4")
    fixed: dict[str, Any] = Field({}, description="overrides that every trial shares")
    cases: dict[str, dict[str, Any]] = Field(
        {}, min_length=1, description="overrides by the name of a row, such as {big: {lr: 0.1}}; they win over fixed"
    )
    axes: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field({}, description="lists of values by name")
    resources: dict[str, ResourceChanges] = Field(
        {}, description="requests by the name of a stage, such as {train_base: {cpus: 2, memory: 4GiB}}"
    )
    table: Table | None = Field(None, description="the table that the sweep ends with")


class IncludeFile(BaseModel):
    """Several search spaces as one sweep, as it is written."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: Name = Field(description="name of the whole")
    include: list[str] = Field(description="search spaces that run as one, relative to this file", min_length=1)


def parse_space(document: Document, seeds: str | None) -> SpaceFile:
    """Check a search space against the format. ``seeds`` replaces the file's. Raises SweeperError at the place."""
    file = _parse(document, SpaceFile)
    try:
        return file if seeds is None else SpaceFile.model_validate(document.value | {"seeds": seeds})
    except ValidationError as error:
        where = f"{document.path} with --seeds {seeds}"
        raise SweeperError(message_of(error.errors()[0]), where=where) from None


def parse_include(document: Document) -> IncludeFile | None:
    """What a file includes; None for a file without ``include``. Raises SweeperError at the place."""
    has_include = isinstance(document.value, dict) and "include" in document.value
    return _parse(document, IncludeFile) if has_include else None


def message_of(error: ErrorDetails, loc: Sequence[str | int] | None = None) -> str:
    """One of pydantic's errors as a line: the dotted name, what was expected and what was given."""
    name = ".".join(str(step) for step in (error["loc"] if loc is None else loc))
    text = error["msg"].replace("Input should be", "expected").replace("a valid dictionary", "names and values")
    given = "" if isinstance(error["input"], BaseModel | dict) else f", got {error['input']!r}"
    return f"{name}: {text[0].lower()}{text[1:]}{given}" if name else text


def _parse(document: Document, model: type[F]) -> F:
    if not isinstance(document.value, dict):
        raise SweeperError("expected names and values, such as name: layers", where=document.where())
    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        raise _refusal(document, model, error.errors()) from None


def _refusal(document: Document, model: type[BaseModel], errors: list[ErrorDetails]) -> SweeperError:
    first = next((each for each in errors if each["type"] == "extra_forbidden"), errors[0])
    loc = [step for step in first["loc"] if step not in ("str", "list[str]")]  # a union's branches are no places
    in_table = loc[0] == "table" and len(loc) > 1
    fields = (Table if in_table else model).model_fields
    name = str(loc[1] if in_table else loc[0])
    if first["type"] == "extra_forbidden":
        fix = nearest(name, fields if in_table else [*fields, "include"])
        if model is IncludeFile:
            fix = "write it into the included files; this one has a name and what it includes, nothing else"
        return SweeperError(f"unknown key '{name}'", fix=fix, where=document.where(*loc, key=True))
    if first["type"] == "missing":
        fix = f"add it: {fields[name].description}"
        return SweeperError(f"'{name}' is missing", fix=fix, where=document.where(*loc))
    if first["type"] == "too_short":
        fix = "give it at least one value, or remove it"
        return SweeperError(f"{'.'.join(map(str, loc))} is empty", fix=fix, where=document.where(*loc))
    fix = f"{name} is {fields[name].description}"
    return SweeperError(message_of(first, loc), fix=fix, where=document.where(*loc))
