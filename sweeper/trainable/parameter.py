"""Parameters of stage functions: convert an argument to its validated value and canonical JSON, once per value.

Trials pass the same seeds, labels and settings thousands of times, so a parameter caches recent arguments: immutable
ones, such as frozen models, by identity, and plain data by content.
"""

from __future__ import annotations

import json
import marshal
from collections.abc import Hashable
from dataclasses import dataclass
from types import NoneType
from typing import Any

from pydantic import BaseModel, TypeAdapter

KEPT = 4096
"""Cached values of a parameter, or calls of a function, at most; then the cache is cleared."""
ATOMS = frozenset({int, float, str, bool, NoneType})

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

    def __init__(self, name: str, hint: Any, *, keyed: bool) -> None:
        self.name = name
        self.quoted = canonical_json(name)
        self._keyed = keyed
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
        text = f"{self.quoted}:{canonical_json(dumped)}" if self._keyed else ""
        return Value(given, checked, dumped, text)


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
