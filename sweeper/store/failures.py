"""Why stages failed, kept beside the artifacts until they are done."""

from __future__ import annotations

import contextlib
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

PLACE = "failures"
Kind = Literal["error", "diverged", "out of memory", "lost"]


class Failure(BaseModel):
    """Why a stage could not be done."""

    model_config = ConfigDict(frozen=True)
    kind: Kind
    cause: str
    """One line."""
    stage: str
    source: str
    """Hash of the code that failed."""
    sweep: str
    when: str


class Notes(Protocol):
    """Small files of a store by name, such as ``failures/abc.json``; each is written in one step."""

    def write(self, name: str, content: bytes) -> None:
        """Write a file, in place of an earlier one."""

    def delete(self, name: str) -> None:
        """Delete a file, if there is one."""

    def notes(self, place: str) -> dict[str, bytes]:
        """All files of a place that can be read, by their names in it."""


class Failures:
    """The last failure of stages by key."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def record(self, key: str, failure: Failure) -> None:
        """Keep a failure, in place of an earlier one of the stage."""
        self._notes.write(_name(key), failure.model_dump_json(indent=1).encode())

    def forget(self, key: str) -> None:
        """The stage is done, or is to be tried again."""
        self._notes.delete(_name(key))

    def all(self) -> dict[str, Failure]:
        """Every failure by key. What cannot be read counts as none: the stage is then tried again."""
        found = {}
        for name, content in self._notes.notes(PLACE).items():
            key, dot, kind = name.rpartition(".")
            if dot and kind == "json":
                with contextlib.suppress(ValueError):
                    found[key] = Failure.model_validate_json(content)
        return found


def _name(key: str) -> str:
    return f"{PLACE}/{key}.json"
