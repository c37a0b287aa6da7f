"""The JSON Schema of the file format, generated from the models that validate a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from sweeper.space.grid import CASE
from sweeper.space.repeat import SEED
from sweeper.space.schema import IncludeFile, SpaceFile
from sweeper.space.search_checks import objectives_of
from sweeper.trainable.trainable import Trainable, dotted_fields, find_trainable

DRAFT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]


def file_schema(name: str | None) -> Schema:
    """Return the schema of a search space, or of a file that includes search spaces.

    Args:
        name: a trainable, to whose dotted names and presets the schema is then restricted.

    Raises SweeperError if the trainable is unknown.
    """
    schema = TypeAdapter(SpaceFile | IncludeFile).json_schema()
    if name is not None:
        _narrow(schema["$defs"], find_trainable(name))
    return {"$schema": DRAFT, "title": "a search space of sweeper", **schema}


def _narrow(models: Mapping[str, Schema], trainable: Trainable) -> None:
    """Restrict names, presets and the trainable itself, in place."""
    fields: dict[str, Schema] = {
        name: {"description": field.description} for name, field in dotted_fields(trainable.config)
    }
    swept = {name: field for name, field in fields.items() if name != SEED}
    case: dict[str, Schema] = {CASE: {"description": "the name of a case"}}
    space = models["SpaceFile"]["properties"]
    space["trainable"]["const"] = trainable.name
    space["preset"] = {"description": space["preset"]["description"], "enum": list(trainable.presets)}
    if len(trainable.presets) > 1:
        models["SpaceFile"]["required"].append("preset")
    for each in (space["fixed"], space["cases"]["additionalProperties"]):
        _only(each, swept)
    tuned = models["PresetValues"]["properties"]
    space["tuned"] |= {"properties": dict.fromkeys(trainable.presets, space["tuned"]["additionalProperties"])}
    space["tuned"]["additionalProperties"] = False
    for each in (tuned["fixed"], tuned["cases"]["additionalProperties"]):
        _only(each, swept)
    for each in (space["axes"], space["zip"]["items"], space["one_at_a_time"]):
        _only_named(each, swept)
    _only_named(space["repeat"], fields)
    _only(space["baseline"], swept | case)
    search = models["SearchFile"]["properties"]
    _only(search["enqueue"]["items"], swept | case)
    _only_named(search["distributions"], swept | case)
    if trainable.declares_metrics:  # otherwise any name may be an objective
        numbers = {name: {"description": each.meaning} for name, each in objectives_of(trainable).items()}
        _only(search["reference"], numbers)
        _only_named(search["objectives"], numbers)
    text, texts = models["Table"]["properties"]["rows"]["anyOf"]
    for each in (text, texts["items"]):
        each["enum"] = [*case, *fields]


def _only_named(values: Schema, known: Mapping[str, Schema]) -> None:
    """Restrict the names of a mapping, keeping the schema of its values."""
    _only(values, {name: {**field, **values["additionalProperties"]} for name, field in known.items()})


def _only(names: Schema, known: Mapping[str, Schema]) -> None:
    names |= {"properties": dict(known), "additionalProperties": False}
