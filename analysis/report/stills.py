"""Figures that stand still, without what they repeat of one another."""

from __future__ import annotations

import json
import re

from analysis.report.markup import Html
from analysis.report.packing import packed

GLYPH = re.compile(r'<path id="[^"]*?(DejaVu[^"]*)"([^>]*)/>')
STYLE = re.compile(r"<defs><style.*?</style></defs>")
"""The same in every figure, and of every element of the page; it stands in the page's own style."""


class Stills:
    """The figures of a page. Letters that several have are kept once."""

    def __init__(self) -> None:
        self._glyphs: dict[str, str] = {}
        self._packed: dict[str, str] = {}

    def add(self, svg: str) -> Html:
        """A figure as it goes into the page.

        Args:
            svg: its element, whose ids no other figure has.
        """
        svg = GLYPH.sub(self._keep, STYLE.sub("", svg))
        svg = re.sub(r'"#[^"]*?(DejaVu[^"]*)"', r'"#\1"', svg)
        return Html(svg.replace("<defs></defs>", ""))

    def pack(self, name: str, figure: Html) -> None:
        """Keep a figure for ``charts.js``, which shows it on paper and where it cannot draw its own."""
        self._packed[name] = figure

    def letters(self) -> Html:
        """What all of them refer to; goes into the page once."""
        paths = "".join(f'<path id="{name}"{rest}/>' for name, rest in sorted(self._glyphs.items()))
        return Html(f'<svg width="0" height="0" aria-hidden="true" class="letters"><defs>{paths}</defs></svg>')

    def block(self) -> Html:
        """The figures that are kept."""
        return packed(json.dumps(self._packed), "stills")

    def _keep(self, found: re.Match[str]) -> str:
        self._glyphs.setdefault(found[1], found[2])
        return ""
