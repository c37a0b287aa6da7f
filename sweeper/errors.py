"""Errors that a user can cause: printed without a traceback, with where and how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path


class SweeperError(Exception):
    """One clear message, where it applies (``file:line:column``) and the fix.

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
    """What was begun could not be ended, for no fault of the user's input."""

    exit_code = 1


class InvalidConfig(SweeperError):
    """A value that its type allows and the experiment does not, such as a layer the network lacks.

    ``field`` is the dotted name of the config value, so that the message can point at its line.
    """

    def __init__(self, field: str, message: str, *, fix: str | None = None) -> None:
        super().__init__(f"{field}: {message}", fix=fix)
        self.field = field


class ClusterLost(Exception):
    """The cluster does not answer any more; the message says which part of it."""


class Diverged(Exception):
    """Numbers that are not finite: the stage would end the same way again. The message says where, with the step."""


def first_line(error: BaseException) -> str:
    """The first line of what an error says, or its kind where it says nothing."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def nearest(name: str, known: Iterable[str]) -> str:
    """The fix for an unknown name: the nearest known ones, or all when none is near."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=2, cutoff=0.8)
    last = name.rpartition(".")[2]
    close += [each for each in names if each.rpartition(".")[2] == last and each not in close]
    return suggestion(close or difflib.get_close_matches(name, names, n=3, cutoff=0.5), names)


def suggestion(close: Sequence[str], names: Sequence[str]) -> str:
    """The fix that names what was probably meant, or all that is known when nothing is near."""
    return f"did you mean {' or '.join(close[:3])}?" if close else f"known: {', '.join(names)}"


def from_here(path: Path) -> str:
    """The path as one would type it in the current directory."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
