"""Errors that a user can cause: printed without a traceback, with where and how to mend it."""

from __future__ import annotations


class SweeperError(Exception):
    """One clear message, where it applies (``file:line:column``) and the fix.

    The command line prints ``str(error)`` and exits with code 2.
    """

    def __init__(self, message: str, *, fix: str | None = None, where: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.where = where

    def __str__(self) -> str:
        head = f"{self.where}: {self.message}" if self.where else self.message
        return f"{head}\n  fix: {self.fix}" if self.fix else head


class InvalidConfig(SweeperError):
    """A value that its type allows and the experiment does not, such as a layer the network lacks.

    ``field`` is the dotted name of the config value, so that the message can point at its line.
    """

    def __init__(self, field: str, message: str, *, fix: str | None = None) -> None:
        super().__init__(f"{field}: {message}", fix=fix)
        self.field = field
