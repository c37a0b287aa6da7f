"""Render a table as text, Markdown, LaTeX, HTML, CSV or JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Literal, get_args

from analysis.formats.html import html
from analysis.formats.latex import latex
from analysis.formats.markdown import markdown
from analysis.formats.records import csv_text, json_text
from analysis.formats.text import text
from analysis.sheets import Sheet, comparison_sheets, table_sheets
from analysis.summary import Summary
from analysis.verdicts import verdicts

__all__ = ["FORMATS", "Format", "render"]

Format = Literal["text", "md", "latex", "html", "csv", "json"]
FORMATS: tuple[Format, ...] = get_args(Format)
_PRINTED: Mapping[str, Callable[[Sequence[Sheet], Sequence[str]], str]] = {
    "md": markdown,
    "latex": latex,
    "html": html,
}
_RECORDED: Mapping[str, Callable[[Summary], str]] = {"csv": csv_text, "json": json_text}


def render(summary: Summary, how: Format, *, statistics: bool = False, styled: bool = False) -> str:
    """Render the table in a format, ending with a newline.

    Args:
        summary: the table.
        how: the format.
        statistics: True to append tables of the differences from the baseline; CSV and JSON always contain them.
        styled: True for escape sequences for bold and underlined in text.
    """
    if how in _RECORDED:
        return _RECORDED[how](summary)
    printed = partial(text, styled=styled) if how == "text" else _PRINTED[how]
    blocks = [printed(table_sheets(summary), [*summary.notes, *verdicts(summary)])]
    if statistics and summary.comparisons:
        blocks.append(printed(comparison_sheets(summary), []))
    return "\n".join(blocks)
