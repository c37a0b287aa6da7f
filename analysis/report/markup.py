"""Build HTML. Text is escaped when it is inserted, so that no name of a sweep can become markup."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any


class Html(str):
    """Text that is already HTML."""

    __slots__ = ()


def element(name: str, *content: str, **attributes: str | bool | None) -> Html:
    """Return an element with its content.

    Args:
        name: name of the element.
        content: HTML, or text, which is escaped.
        attributes: attributes by name, with ``_`` for ``-``, and a trailing ``_`` removed, as in ``class_``; True is
            an attribute without a value, False and None omit it.
    """
    given = {key.removesuffix("_").replace("_", "-"): value for key, value in attributes.items()}
    written = "".join(
        f" {key}" if value is True else f' {key}="{escape(str(value))}"'
        for key, value in given.items()
        if value is not None and value is not False
    )
    return Html(f"<{name}{written}>{joined(content)}</{name}>")


def joined(parts: Iterable[str]) -> Html:
    """Concatenate HTML and text; text is escaped."""
    return Html("".join(part if isinstance(part, Html) else escape(part) for part in parts))


def listing(items: Iterable[str], **attributes: str | bool | None) -> Html:
    """Return an unordered list."""
    return element("ul", *(element("li", item) for item in items), **attributes)


def folded(summary: str, *content: str, **attributes: str | bool | None) -> Html:
    """Return content that is folded until the reader opens it."""
    return element("details", element("summary", summary), element("div", *content, class_="folded"), **attributes)


def scrolling(content: str) -> Html:
    """Wrap content that may be wider than the page in a container that scrolls."""
    return element("div", content, class_="scroll")


@dataclass(frozen=True)
class Cell:
    """A cell of a `grid`."""

    text: str
    value: float | str | None
    """The value to sort by; None is sorted last."""
    number: bool = True

    @classmethod
    def of(cls, text: str) -> Cell:
        """Return a cell of text that is sorted by the text."""
        return cls(text, text, number=False)


def grid(caption: str, heads: Sequence[str], lines: Sequence[tuple[str, Sequence[Cell]]]) -> Html:
    """Return a table in a scrolling container.

    Args:
        caption: its title.
        heads: heads of the columns, that of the lines' names first.
        lines: the name and the cells of each line.
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
    """Return JSON for the page's scripts as an element with an id. No text in it can end the element."""
    written = json.dumps(content, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    for letter in "<>&":
        written = written.replace(letter, f"\\u{ord(letter):04x}")
    return element("script", Html(written), type="application/json", id=name)
