"""Tables as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.style import Style

from analysis.sheets import Entry, Sheet

STYLES = (Style(), Style(bold=True), Style(underline=True))
GAP = "  "


def text(sheets: Sequence[Sheet], notes: Sequence[str], *, styled: bool) -> str:
    """Return aligned columns; with ``styled``, escape sequences make the best bold and underline the second.

    Lines are never cut or wrapped.
    """
    blocks = ["".join(f"{line}\n" for line in _lines(sheet, styled)) for sheet in sheets]
    return "\n".join(blocks) + "".join(f"{note}\n" for note in notes)


def _lines(sheet: Sheet, styled: bool) -> Iterator[str]:
    lines = [[Entry(head) for head in sheet.heads], *(line.entries for line in sheet.lines)]
    lengths = [[cell_len(entry.text) for entry in line] for line in lines]
    widths = [max(column) for column in zip(*lengths, strict=True)]
    yield sheet.title
    for line, taken in zip(lines, lengths, strict=True):
        cells = []
        for index, entry in enumerate(line):
            shown = STYLES[entry.rank].render(entry.text, color_system=ColorSystem.STANDARD) if styled else entry.text
            space = " " * (widths[index] - taken[index])
            cells.append(shown + space if index < sheet.names else space + shown)
        yield GAP.join(cells).rstrip()
