"""HTML from Python. Text is escaped where it is put in, so that no name of a sweep can become markup."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(name: str, *content: str, **attributes: str | bool | None) -> Html:
    """An element with its content.

    Args:
        name: of the element.
        content: HTML, or text, which is escaped.
        attributes: by name, with ``_`` for ``-`` and one at the end left out, as in ``class_``; True is an attribute
            without a value, False and None are none.
    """
    given = {key.removesuffix("_").replace("_", "-"): value for key, value in attributes.items()}
    written = "".join(
        f" {key}" if value is True else f' {key}="{escape(str(value))}"'
        for key, value in given.items()
        if value is not None and value is not False
    )
    return Html(f"<{name}{written}>{joined(content)}</{name}>")


def joined(parts: Iterable[str]) -> Html:
    """HTML and text, one after the other; text is escaped."""
    return Html("".join(part if isinstance(part, Html) else escape(part) for part in parts))


def listing(items: Iterable[str], **attributes: str | bool | None) -> Html:
    """A list without order."""
    return element("ul", *(element("li", item) for item in items), **attributes)


def folded(summary: str, *content: str, **attributes: str | bool | None) -> Html:
    """What is shown on demand."""
    return element("details", element("summary", summary), element("div", *content, class_="folded"), **attributes)


def scrolling(content: str) -> Html:
    """What may be wider than the page, in a container of its own that scrolls."""
    return element("div", content, class_="scroll")


@dataclass(frozen=True)
class Cell:
    """A cell of a `grid`."""

    text: str
    value: float | str | None
    """What it is sorted by; None for nothing, which comes last."""
    number: bool = True

    @classmethod
    def of(cls, text: str) -> Cell:
        """Text that is sorted by itself."""
        return cls(text, text, number=False)


def grid(caption: str, heads: Sequence[str], lines: Sequence[tuple[str, Sequence[Cell]]]) -> Html:
    """A table in its scrolling container.

    Args:
        caption: its title.
        heads: of the columns, the lines' names' first.
        lines: the name of each, and its cells.
    """
    right = [False, *(each.number for each in lines[0][1])] if lines else [False] * len(heads)
    top = (element("th", head, scope="col", class_=_side(side)) for head, side in zip(heads, right, strict=True))
    body = (element("tr", element("th", name, scope="row"), *map(_cell, cells)) for name, cells in lines)
    table = element(
        "table", element("caption", caption), element("thead", element("tr", *top)), element("tbody", *body)
    )
    return scrolling(table)


def _cell(cell: Cell) -> Html:
    return element(
        "td", cell.text, class_=_side(cell.number), data_value=None if cell.value is None else str(cell.value)
    )


def _side(number: bool) -> str | None:
    return "number" if number else None


def data(content: Any, name: str) -> Html:
    """JSON for the page's scripts, by its id. No text in it can end the element."""
    written = json.dumps(content, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    for letter in "<>&":
        written = written.replace(letter, f"\\u{ord(letter):04x}")
    return element("script", Html(written), type="application/json", id=name)
