"""The format of a sweep's YAML file, and the errors for a file that violates it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema
from pydantic_core import ErrorDetails, PydanticCustomError

from sweeper.errors import SweeperError, nearest
from sweeper.space.document import Document
from sweeper.space.search_schema import Distribution, SearchFile
from sweeper.trainable.resources import ResourceChanges

MAX_REPEATS = 10_000
"""Values of one repeated name at most."""
LONGEST_SHOWN = 200
"""Characters of a wrong value that a message shows at most."""
RANGES = r"[0-9]{1,10}(-[0-9]{1,10})?(,[0-9]{1,10}(-[0-9]{1,10})?)*"


def parse_repeats(value: Any) -> Any:
    """Parse seeds, folds and the like from ``[0, 1, 2]``, ``"0-4"``, ``"0,2,5"`` or ``"3"``.

    Raises PydanticCustomError for anything else.
    """
    if isinstance(value, str) and re.fullmatch(RANGES, value.replace(" ", "")):
        bounds = [part.split("-") for part in value.replace(" ", "").split(",")]
        ranges = [range(int(part[0]), int(part[-1]) + 1) for part in bounds]
        if sum(map(len, ranges)) > MAX_REPEATS:
            raise PydanticCustomError("repeats", "expected at most {most} values", {"most": MAX_REPEATS})
        value = [number for each in ranges for number in each]
    good = isinstance(value, list) and all(type(each) is int and 0 <= each < 2**31 for each in value)
    if not good or not value or len(set(value)) != len(value):
        raise PydanticCustomError("repeats", "expected distinct whole numbers from 0, such as [0, 1, 2] or 0-4")
    return value


F = TypeVar("F", bound=BaseModel)
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100)]
REPEATS_SCHEMA = {
    "anyOf": [
        {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1, "uniqueItems": True},
        {"type": "string", "pattern": r"^\s*[0-9]+\s*(-\s*[0-9]+\s*)?(,\s*[0-9]+\s*(-\s*[0-9]+\s*)?)*$"},
    ]
}
Repeated = Annotated[tuple[int, ...], BeforeValidator(parse_repeats), WithJsonSchema(REPEATS_SCHEMA)]
Values = Annotated[list[Any], Field(min_length=1)]


class Table(BaseModel):
    """The layout of the results table: the seeds of a row are averaged."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    rows: str | Annotated[list[str], Field(min_length=1)] = Field(
        description="a dotted name whose values are the rows, or case, or a list of these"
    )
    columns: list[str] = Field(description="facts, metrics and seconds, in order", min_length=1)
    across: str | None = Field(
        None, description="one of several rows, whose values become columns: one grid for every number"
    )
    bounds: list[str] = Field(
        [], description="cases that are upper or lower bounds, and are left out when the best row is chosen"
    )
    published: str | None = Field(
        None, description="published values to show beside these: file/table of analysis/published"
    )


class PresetValues(BaseModel):
    """Values that were chosen for one preset."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    fixed: dict[str, Any] = Field({}, description="overrides that every trial shares")
    cases: dict[str, dict[str, Any]] = Field({}, description="overrides by the name of a case")

    @property
    def names(self) -> set[str]:
        """Names of all its values."""
        return {*self.fixed, *(name for case in self.cases.values() for name in case)}


class SpaceFile(BaseModel):
    """A search space as written in its file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: Name = Field(description="the name of the sweep and its results")
    trainable: str = Field(description="the trainable to sweep: an installed one, or the module that holds one")
    preset: str | None = Field(
        None, description="the complete config that overrides start from; required if the trainable has several"
    )
    seeds: Repeated = Field((0,), description="the seeds that every row is repeated over, such as [0, 1, 2] or 0-4")
    repeat: dict[str, Repeated] = Field(
        {}, description="other fields that every row is repeated over and averaged, by name, such as {fold: 0-4}"
    )
    fixed: dict[str, Any] = Field({}, description="overrides that every trial shares")
    cases: dict[str, dict[str, Any]] = Field(
        {},
        min_length=1,
        description="sets of overrides by name, each a row, such as {big: {lr: 0.1}}; they win over fixed",
    )
    tuned: dict[str, PresetValues] = Field(
        {}, description="overrides for one preset alone, such as {small: {fixed: {lr: 0.1}, cases: {big: {lr: 0.01}}}}"
    )
    axes: dict[str, Values] = Field({}, description="lists of values by name")
    zip: list[Annotated[dict[str, Values], Field(min_length=1)]] = Field(
        [], description="groups of lists that vary together, such as [{lr: [0.1, 0.2], steps: [20, 10]}]"
    )
    one_at_a_time: dict[str, Values] = Field(
        {}, description="lists of values by name, each tried with the other names at the baseline"
    )
    where: str | None = Field(None, description="the condition for a trial, such as \"lr < 0.1 or case == 'big'\"")
    baseline: dict[str, Any] = Field(
        {}, min_length=1, description="the row to compare the others with, such as {lr: 0.1}"
    )
    resources: dict[str, ResourceChanges] = Field(
        {}, description="resource requests by stage, such as {train_flow: {cpus: 2, memory: 4GiB}}"
    )
    search: SearchFile | None = Field(
        None, description="a search in place of lists: distributions, objectives, number of trials and more"
    )
    table: Table | None = Field(None, description="the layout of the results table")


class IncludeFile(BaseModel):
    """A file that runs several search spaces as one sweep."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: Name = Field(description="the name of the sweep")
    include: list[str] = Field(description="files of the search spaces, relative to this file", min_length=1)


def parse_space(document: Document, seeds: str | None) -> SpaceFile:
    """Validate a search space; ``seeds`` replaces the file's. Raises SweeperError at the location of the fault."""
    file = _parse(document, SpaceFile)
    if seeds is None:
        return file
    repeat = {name: values for name, values in document.value.get("repeat", {}).items() if name != "seed"}
    try:
        return SpaceFile.model_validate(document.value | {"seeds": seeds, "repeat": repeat})
    except ValidationError as error:
        where = f"{document.path} with --seeds {seeds}"
        raise SweeperError(message_of(error.errors()[0]), where=where) from None


def parse_include(document: Document) -> IncludeFile | None:
    """Validate a file with ``include``; return None for any other. Raises SweeperError at the location of the fault."""
    has_include = isinstance(document.value, dict) and "include" in document.value
    return _parse(document, IncludeFile) if has_include else None


def message_of(error: ErrorDetails, loc: Sequence[str | int] | None = None) -> str:
    """Format a pydantic error as one line: the dotted name, the expected value and the given one."""
    name = ".".join(str(step) for step in (error["loc"] if loc is None else loc))
    text = error["msg"].replace("Input should be", "expected")
    text = re.sub(r"a valid dictionary( or instance of \w+)?", "a mapping of names to values", text)
    given = "" if isinstance(error["input"], BaseModel | dict) else f", got {_shown(error['input'])}"
    return f"{name}: {text[0].lower()}{text[1:]}{given}" if name else text


def _parse(document: Document, model: type[F]) -> F:
    if not isinstance(document.value, dict):
        raise SweeperError("expected a mapping, such as name: layers", where=document.where())
    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        raise _refusal(document, model, error.errors()) from None


def _refusal(document: Document, model: type[BaseModel], errors: list[ErrorDetails]) -> SweeperError:
    first = next((each for each in errors if each["type"] == "extra_forbidden"), errors[0])
    loc = first["loc"]
    loc = loc[:2] if loc[:2] == ("table", "rows") else loc  # a union's branches are no places
    owner, name = _field(model, loc)
    fields = {field.alias or each: field for each, field in owner.model_fields.items()}
    if first["type"] == "extra_forbidden":
        fix = nearest(name, [*fields, "include"] if owner is SpaceFile else fields)
        if owner is SpaceFile and name.endswith("_seeds"):
            fix = f"repeat a config field with repeat: {{{name.removesuffix('s')}: [0, 1, 2]}}"
        if model is IncludeFile:
            fix = "move it to the included files: a file with include has only name and include"
        return SweeperError(f"unknown key '{name}'", fix=fix, where=document.where(*loc, key=True))
    if first["type"] == "missing":
        fix = f"add it: {fields[name].description}"
        return SweeperError(f"'{name}' is missing", fix=fix, where=document.where(*loc))
    if first["type"] == "too_short":
        fix = "give it at least one value, or remove it"
        return SweeperError(f"{'.'.join(map(str, loc))} is empty", fix=fix, where=document.where(*loc))
    fix = f"{name}: {fields[name].description}"
    return SweeperError(message_of(first, loc), fix=fix, where=document.where(*loc))


def _field(model: type[BaseModel], loc: Sequence[str | int]) -> tuple[type[BaseModel], str]:
    """Return the model and the name of the field that an error at ``loc`` is about."""
    if loc[0] == "table" and len(loc) > 1:
        return Table, str(loc[1])
    if loc[0] == "resources" and len(loc) > 2:
        return ResourceChanges, str(loc[2])
    if loc[0] == "tuned" and len(loc) > 2:
        return PresetValues, str(loc[2])
    if loc[:2] == ("search", "distributions") and len(loc) > 3:
        return Distribution, str(loc[3])
    if loc[0] == "search" and len(loc) > 1:
        return SearchFile, str(loc[1])
    return model, str(loc[0])


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."
