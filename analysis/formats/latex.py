"""Tables in LaTeX, using the booktabs package."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from analysis.sheets import Entry, Sheet

MARKS = ("{}", "\\textbf{{{}}}", "\\underline{{{}}}")
SPECIAL = {
    "\\": "\\textbackslash{}",
    "{": "\\{",
    "}": "\\}",
    "$": "\\$",
    "&": "\\&",
    "#": "\\#",
    "%": "\\%",
    "_": "\\_",
    "^": "\\textasciicircum{}",
    "~": "\\textasciitilde{}",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    '"': "''",
    "±": "$\\pm$",
    "×": "$\\times$",
    "·": "$\\cdot$",
    "—": "---",
    "–": "--",
    "≥": "$\\geq$",
    "≤": "$\\leq$",
    "λ": "$\\lambda$",
    "ω": "$\\omega$",
}


def latex(sheets: Sequence[Sheet], notes: Sequence[str]) -> str:
    """Return a table environment for every sheet, with the notes below the last one."""
    head = "% \\usepackage{booktabs}\n"
    return head + "\n".join(_table(sheet, notes if sheet is sheets[-1] else ()) for sheet in sheets)


def _table(sheet: Sheet, notes: Sequence[str]) -> str:
    columns = "l" * sheet.names + "r" * (len(sheet.heads) - sheet.names)
    return "\n".join(
        [
            "\\begin{table}",
            "\\centering",
            f"\\caption{{{escaped(sheet.title)}}}",
            f"\\begin{{tabular}}{{{columns}}}",
            "\\toprule",
            *_body(sheet),
            "\\bottomrule",
            "\\end{tabular}",
            *(f"\\par\\smallskip\\footnotesize {escaped(note)}" for note in notes),
            "\\end{table}",
            "",
        ]
    )


def _body(sheet: Sheet) -> Iterator[str]:
    yield f"{' & '.join(escaped(head) for head in sheet.heads)} \\\\"
    yield "\\midrule"
    for line in sheet.lines:
        if line.apart:
            yield "\\midrule"
        names, numbers = line.entries[: sheet.names], line.entries[sheet.names :]
        cells = [*(escaped(entry.text) for entry in names), *map(_number, numbers)]
        yield f"{' & '.join(cells)} \\\\"


def _number(entry: Entry) -> str:
    """Format a number, in which a hyphen before a digit is a minus sign, unlike in a name such as 0-64."""
    return MARKS[entry.rank].format(re.sub(r"-(?=\d)", "$-$", escaped(entry.text)))


def escaped(text: str) -> str:
    """Escape text for LaTeX. Letters of other alphabets are left to the user's engine."""
    return "".join(SPECIAL.get(letter, letter) for letter in " ".join(text.split()))
