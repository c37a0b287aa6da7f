"""Tables in GitHub-flavoured Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.sheets import Entry, Sheet

MARKS = ("{}", "**{}**", "<u>{}</u>")


def markdown(sheets: Sequence[Sheet], notes: Sequence[str]) -> str:
    """Return tables with the best in bold and the second underlined, each below its title, and notes as a list."""
    blocks = []
    for sheet in sheets:
        blocks.append("\n".join([f"**{_plain(sheet.title)}**", "", *_lines(sheet)]))
    return "\n\n".join([*blocks, *(["\n".join(f"- {_plain(note)}" for note in notes)] if notes else [])]) + "\n"


def _lines(sheet: Sheet) -> list[str]:
    rule = ["---" if index < sheet.names else "---:" for index in range(len(sheet.heads))]
    body = [[_entry(entry) for entry in line.entries] for line in sheet.lines]
    return [f"| {' | '.join(line)} |" for line in [[_plain(head) for head in sheet.heads], rule, *body]]


def _entry(entry: Entry) -> str:
    return MARKS[entry.rank].format(_plain(entry.text))


def _plain(text: str) -> str:
    for special in "\\|*_<`":
        text = text.replace(special, f"\\{special}")
    return text
