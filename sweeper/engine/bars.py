"""Progress bars that move in place: in a terminal, or below the cell of a notebook."""

from __future__ import annotations

from html import escape
from typing import Any, Protocol

from rich.console import Console
from rich.markup import escape as escape_markup
from rich.progress import BarColumn, Progress, TextColumn


class Bar(Protocol):
    """A bar that is shown until it is stopped, which removes it."""

    def show(self, done: int, total: int, text: str) -> None:
        """Move it, with the text beside it."""

    def stop(self) -> None:
        """Remove it."""


def bar_on(console: Console) -> Bar | None:
    """Return a bar for the console; None where it can only print lines."""
    if console.is_jupyter:
        return NotebookBar()
    return TerminalBar(console) if console.is_terminal else None


class TerminalBar:
    """See `Bar`."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(BarColumn(24), TextColumn("{task.description}"), console=console, transient=True)
        self._task = self._progress.add_task("", total=None)

    def show(self, done: int, total: int, text: str) -> None:
        """See `Bar`."""
        self._progress.update(self._task, completed=done, total=total, description=escape_markup(text))
        self._progress.start()

    def stop(self) -> None:
        """See `Bar`."""
        self._progress.stop()


class NotebookBar:
    """See `Bar`. One output of the cell that is replaced, as rich's own bar would need ipywidgets."""

    def __init__(self) -> None:
        from IPython.display import display

        self._output: Any = display({"text/plain": ""}, raw=True, display_id=True)  # type: ignore[no-untyped-call]

    def show(self, done: int, total: int, text: str) -> None:
        """See `Bar`."""
        html = f'<progress value="{done}" max="{total}"></progress> {escape(text)}'
        self._output.update({"text/plain": text, "text/html": html}, raw=True)

    def stop(self) -> None:
        """See `Bar`."""
        self._output.update({"text/plain": ""}, raw=True)
