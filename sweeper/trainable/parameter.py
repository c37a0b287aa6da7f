"""Parameters of stage functions: convert an argument to its validated value and canonical JSON, once per value.

Trials pass the same seeds, labels and settings thousands of times, so a parameter caches recent arguments: immutable
ones, such as frozen models, by identity, and plain data by content.
"""

from __future__ import annotations

import json
import marshal
from collections.abc import Hashable
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter

KEPT = 4096
"""Cached values of a parameter, or calls of a function, at most; then the cache is cleared."""
ATOMS = frozenset({int, float, str, bool, NoneType})

Excluded: TypeAlias = "bool | dict[str, Excluded]"
"""What is not in the key: all of it (True), nothing (False), or parts of it by name."""


class NotInKey:
    """Mark a value that says where something is, while another value says what it is.

    A stage finds the data set by its path, and identifies it by its content:

        @stage(version=1)
        def load(run: StageRun, path: Annotated[str, NotInKey], sha256: str) -> None: ...

    The mark is for parameters of a stage, and for fields of a settings model that is a parameter.
    """


canonical_json = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """An argument of a parameter, in all its forms."""

    given: Any
    checked: Any
    """The validated value that the stage's body receives."""
    json: Any
    text: str
    """Its part of the key: its name and canonical JSON; empty for a parameter that is not in the key."""


class Parameter:
    """A parameter with its name and type."""

    def __init__(self, name: str, hint: Any) -> None:
        self.name = name
        self.quoted = canonical_json(name)
        self._excluded = _excluded(hint)
        self._type: TypeAdapter[Any] = TypeAdapter(hint)
        self._recent: dict[Hashable, Value] = {}
        self.met = self._recent.get
        """Return the cached value of an object by its id. A cached object is alive, so no other one has its id."""

    def check(self, given: Any) -> Any:
        """Validate an argument for the stage's body. Raises ValidationError for a value of a wrong type."""
        return self._type.validate_python(given)

    def value(self, given: Any) -> Value:
        """Convert an argument. Raises ValidationError, and ValueError for a number that JSON cannot represent."""
        content = _content(given)
        found = self._recent.get(content) if content is not None else None
        if found is None:
            found = self._new(given)
            if len(self._recent) >= KEPT:
                self._recent.clear()
            if content is not None:
                self._recent[content] = found
            if _frozen(given):
                self._recent[id(given)] = found
        return found

    def _new(self, given: Any) -> Value:
        checked = self.check(given)
        dumped = self._type.dump_python(checked, mode="json")
        if self._excluded is True:
            return Value(given, checked, dumped, "")
        return Value(given, checked, dumped, f"{self.quoted}:{canonical_json(_without(dumped, self._excluded))}")


def _excluded(hint: Any) -> Excluded:
    """Return what `NotInKey` marks in a type: the value itself, or fields of a model, which may be optional."""
    if get_origin(hint) is Annotated:
        return NotInKey in hint.__metadata__ or _excluded(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        return next((found for found in map(_excluded, get_args(hint)) if found), False)
    if not (isinstance(hint, type) and issubclass(hint, BaseModel)):
        return False
    fields = {
        name: NotInKey in field.metadata or _excluded(field.annotation) for name, field in hint.model_fields.items()
    }
    return {name: excluded for name, excluded in fields.items() if excluded} or False


def _without(dumped: Any, excluded: Excluded) -> Any:
    """Return JSON without what is not in the key."""
    if not isinstance(excluded, dict) or dumped is None:
        return dumped
    kept = {name: _without(value, excluded.get(name, False)) for name, value in dumped.items()}
    return {name: value for name, value in kept.items() if excluded.get(name) is not True}


def _content(given: Any) -> bytes | None:
    """Return bytes that identify plain data, in which True, 1 and 1.0 differ, as in JSON; None for other data."""
    return marshal.dumps(given, 2) if _plain(given) else None


def _plain(given: Any) -> bool:
    """Check that all parts have types that marshal distinguishes; it would treat numpy's numbers as bytes."""
    kind = type(given)
    return kind in ATOMS or (kind in (list, tuple) and all(map(_plain, given)))


def _frozen(given: Any) -> bool:
    """Check that an argument is immutable: a number, text, or a frozen model without lists or mutable models."""
    if not isinstance(given, BaseModel):
        return type(given) in ATOMS
    try:
        hash(given)
    except TypeError:
        return False
    return bool(given.model_config.get("frozen"))
