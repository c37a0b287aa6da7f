"""A parameter of a stage function: from what is passed to its checked value and its canonical JSON, once per value.

Trials pass the same seeds, labels and settings by the thousand, so a parameter remembers what it was passed lately:
by identity what cannot change, such as a frozen model, and by content what is plain data.
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
"""What is remembered at a time, of a parameter's values and of a function's calls, before all of it is forgotten."""
ATOMS = frozenset({int, float, str, bool, NoneType})

canonical_json = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """What is passed for a parameter, in all its forms."""

    given: Any
    checked: Any
    """As the stage's body takes it."""
    json: Any
    text: str
    """Its part of the key: its name and canonical JSON; empty for what is not in the key."""


class Parameter:
    """A parameter by name, with its type."""

    def __init__(self, name: str, hint: Any, *, keyed: bool) -> None:
        self.name = name
        self.quoted = canonical_json(name)
        self._keyed = keyed
        self._type: TypeAdapter[Any] = TypeAdapter(hint)
        self._recent: dict[Hashable, Value] = {}
        self.met = self._recent.get
        """The value of an object by its id, if it is remembered: then it is alive, and no other object has its id."""

    def check(self, given: Any) -> Any:
        """The value as the stage's body takes it. Raises ValidationError."""
        return self._type.validate_python(given)

    def value(self, given: Any) -> Value:
        """What is passed. Raises ValidationError, and ValueError for a number that JSON does not have."""
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
    """What tells plain data from all other: True, 1 and 1.0 are three, as in JSON. None for other than plain data."""
    return marshal.dumps(given, 2) if _plain(given) else None


def _plain(given: Any) -> bool:
    """Whether all of it is of types that marshal tells apart; numpy's numbers look to it like bytes."""
    kind = type(given)
    return kind in ATOMS or (kind in (list, tuple) and all(map(_plain, given)))


def _frozen(given: Any) -> bool:
    """Whether it cannot change: a number or text, or a frozen model that holds no list and no model that can."""
    if not isinstance(given, BaseModel):
        return type(given) in ATOMS
    try:
        hash(given)
    except TypeError:
        return False
    return bool(given.model_config.get("frozen"))
