"""Recorded failures of stages, stored beside the artifacts until the stages succeed."""

from __future__ import annotations

import contextlib
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

PLACE = "failures"
Kind = Literal["error", "diverged", "out of memory", "lost"]


class Failure(BaseModel):
    """The failure of a stage."""

    model_config = ConfigDict(frozen=True)
    kind: Kind
    cause: str
    """The error in one line."""
    stage: str
    source: str
    """Hash of the code that failed."""
    sweep: str
    when: str


class Notes(Protocol):
    """Small files of a store by name, such as ``failures/abc.json``; each is written atomically."""

    def write(self, name: str, content: bytes) -> None:
        """Write a file, replacing an existing one."""

    def delete(self, name: str) -> None:
        """Delete a file, if it exists."""

    def notes(self, place: str) -> dict[str, bytes]:
        """Return all readable files of a part of the store, by name."""


class Failures:
    """The last failure of stages by key."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def record(self, key: str, failure: Failure) -> None:
        """Store a failure, replacing an earlier one of the stage."""
        self._notes.write(_name(key), failure.model_dump_json(indent=1).encode())

    def forget(self, key: str) -> None:
        """Delete the failure of a stage that succeeded or is to be retried."""
        self._notes.delete(_name(key))

    def all(self) -> dict[str, Failure]:
        """Return all failures by key. Unreadable ones are left out, so that their stages are retried."""
        found = {}
        for name, content in self._notes.notes(PLACE).items():
            key, dot, kind = name.rpartition(".")
            if dot and kind == "json":
                with contextlib.suppress(ValueError):
                    found[key] = Failure.model_validate_json(content)
        return found


def _name(key: str) -> str:
    return f"{PLACE}/{key}.json"
