"""Errors that a user can cause: printed without a traceback, with their location and a fix."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path


class SweeperError(Exception):
    """An error message with its location (``file:line:column``) and a fix.

    The command line prints ``str(error)`` and exits with ``exit_code``.
    """

    exit_code = 2

    def __init__(self, message: str, *, fix: str | None = None, where: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.where = where

    def __str__(self) -> str:
        head = f"{self.where}: {self.message}" if self.where else self.message
        return f"{head}\n  fix: {self.fix}" if self.fix else head


class CutShort(SweeperError):
    """A command that stopped before its end, through no fault of the user's input."""

    exit_code = 1


class InvalidConfig(SweeperError):
    """A config value that has the right type but that the experiment rejects, such as a layer the network lacks.

    ``field`` is the dotted name of the config value, so that the message can point at its line.
    """

    def __init__(self, field: str, message: str, *, fix: str | None = None) -> None:
        super().__init__(f"{field}: {message}", fix=fix)
        self.field = field


class ClusterLost(Exception):
    """The cluster no longer responds; the message names the part."""


class Diverged(Exception):
    """A stage produced numbers that are not finite, and would do so again. The message names the step."""


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or its type if it has no message."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the fix for an unknown name: the closest known names, or all of them if none is close."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=2, cutoff=0.8)
    last = name.rpartition(".")[2]
    close += [each for each in names if each.rpartition(".")[2] == last and each not in close]
    return suggestion(close or difflib.get_close_matches(name, names, n=3, cutoff=0.5), names)


def suggestion(close: Sequence[str], names: Sequence[str]) -> str:
    """Return the fix that proposes ``close``, or lists all known names if that is empty."""
    return f"did you mean {' or '.join(close[:3])}?" if close else f"known: {', '.join(names)}"


def from_here(path: Path) -> str:
    """Return the path relative to the current directory, if it lies below it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
