"""Tables for a terminal."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis.sheets import Sheet

STYLES = ("", "bold", "underline")
WIDEST = 10_000
"""Columns: a table is never wrapped, as a cut line is no table."""


def text(sheets: Sequence[Sheet], notes: Sequence[str], *, styled: bool) -> str:
    """Aligned columns; with ``styled``, escape sequences make the best bold and underline the second."""
    return "\n".join([*("\n".join(_lines(sheet, styled)) + "\n" for sheet in sheets)])[:-1] + _notes(notes)


def _notes(notes: Sequence[str]) -> str:
    return "".join(f"\n{note}" for note in notes) + "\n"


def _lines(sheet: Sheet, styled: bool) -> list[str]:
    table = Table(title=sheet.title, title_justify="left", title_style="", box=None, pad_edge=False, header_style="")
    for index, head in enumerate(sheet.heads):
        table.add_column(Text(head), justify="left" if index < sheet.names else "right", no_wrap=True)
    for line in sheet.lines:
        table.add_row(*(Text(entry.text, STYLES[entry.rank] if styled else "") for entry in line.entries))
    out = io.StringIO()
    Console(file=out, width=WIDEST, color_system="standard" if styled else None, force_terminal=styled).print(table)
    return [line.rstrip() for line in out.getvalue().splitlines()]
