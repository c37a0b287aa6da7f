"""A table as text, Markdown, LaTeX, HTML, CSV or JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, get_args

from analysis.formats.html import html
from analysis.formats.latex import latex
from analysis.formats.markdown import markdown
from analysis.formats.records import csv_text, json_text
from analysis.formats.text import text
from analysis.sheets import comparison_sheets, table_sheets
from analysis.summary import Summary
from analysis.verdicts import verdicts

__all__ = ["FORMATS", "Format", "render"]

Format = Literal["text", "md", "latex", "html", "csv", "json"]
FORMATS: tuple[Format, ...] = get_args(Format)
_PRINTED = {"md": markdown, "latex": latex, "html": html}
_RECORDED: Mapping[str, Callable[[Summary], str]] = {"csv": csv_text, "json": json_text}


def render(summary: Summary, how: Format, *, statistics: bool = False, styled: bool = False) -> str:
    """The table in a format, ending with a newline.

    Args:
        summary: the table.
        how: the format.
        statistics: whether tables of the differences from the baseline follow; CSV and JSON always hold them.
        styled: whether text has escape sequences for bold and underlined.
    """
    if how in _RECORDED:
        return _RECORDED[how](summary)
    sheets = [*table_sheets(summary), *(comparison_sheets(summary) if statistics else ())]
    notes = [*summary.notes, *verdicts(summary)]
    return text(sheets, notes, styled=styled) if how == "text" else _PRINTED[how](sheets, notes)
