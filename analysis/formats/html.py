"""Tables in HTML, without style: ``data-value`` holds the value that a cell is sorted by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from analysis.sheets import Entry, Line, Sheet

NUMBER = ' class="number"'
MARKS = ("{}", "<strong>{}</strong>", "<u>{}</u>")


def html(sheets: Sequence[Sheet], notes: Sequence[str]) -> str:
    """Return a table element for every sheet, and the notes as a list."""
    items = "".join(f"<li>{escape(note)}</li>\n" for note in notes)
    return "".join(map(html_table, sheets)) + (f'<ul class="notes">\n{items}</ul>\n' if notes else "")


def html_table(sheet: Sheet) -> str:
    """Return a sheet as a table element."""
    heads = "".join(
        f'<th scope="col"{"" if index < sheet.names else NUMBER}>{escape(head)}</th>'
        for index, head in enumerate(sheet.heads)
    )
    lines = "".join(f"{line}\n" for line in _lines(sheet))
    return (
        f"<table>\n<caption>{escape(sheet.title)}</caption>\n<thead>\n<tr>{heads}</tr>\n</thead>\n"
        f"<tbody>\n{lines}</tbody>\n</table>\n"
    )


def _lines(sheet: Sheet) -> Iterator[str]:
    for line in sheet.lines:
        cells = [_cell(entry, index < sheet.names) for index, entry in enumerate(line.entries)]
        yield f"<tr{_apart(line)}>{''.join(cells)}</tr>"


def _apart(line: Line) -> str:
    return ' class="apart"' if line.apart else ""


def _cell(entry: Entry, names: bool) -> str:
    tag, scope = ("th", ' scope="row"') if names else ("td", "")
    kinds = [*([] if names else ["number"]), *([] if entry.whole else ["partial"])]
    kind = f' class="{" ".join(kinds)}"' if kinds else ""
    value = "" if entry.value is None else f' data-value="{escape(str(entry.value))}"'
    return f"<{tag}{scope}{kind}{value}>{MARKS[entry.rank].format(escape(entry.text))}</{tag}>"
