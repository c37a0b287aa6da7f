"""Why stages failed, kept beside the artifacts until they are done."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

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


class Failures:
    """The last failure of stages by key, below ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def record(self, key: str, failure: Failure) -> None:
        """Keep a failure, in place of an earlier one of the stage."""
        aside = self.root / f"{key}.new"
        aside.write_text(failure.model_dump_json(indent=1))
        aside.replace(self._path(key))

    def forget(self, key: str) -> None:
        """The stage is done, or is to be tried again."""
        self._path(key).unlink(missing_ok=True)

    def all(self) -> dict[str, Failure]:
        """Every failure by key. What cannot be read counts as none: the stage is then tried again."""
        found = {}
        for path in self.root.glob("*.json"):
            with contextlib.suppress(OSError, ValueError):
                found[path.stem] = Failure.model_validate_json(path.read_text())
        return found

    def _path(self, key: str) -> Path:
        return self.root / f"{key}.json"
