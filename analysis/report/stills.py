"""Static figures of a page, with repeated parts removed."""

from __future__ import annotations

import json
import re

from analysis.report.markup import Html
from analysis.report.packing import packed

GLYPH = re.compile(r'<path id="[^"]*?(DejaVu[^"]*)"([^>]*)/>')
STYLE = re.compile(r"<defs><style.*?</style></defs>")
"""A style that is the same in every figure, and that the page's own style contains."""


class Stills:
    """The static figures of a page. Glyphs that several share are stored once."""

    def __init__(self) -> None:
        self._glyphs: dict[str, str] = {}
        self._packed: dict[str, str] = {}

    def add(self, svg: str) -> Html:
        """Return a figure for the page, and keep its glyphs.

        Args:
            svg: its element, with ids that no other figure has.
        """
        svg = GLYPH.sub(self._keep, STYLE.sub("", svg))
        svg = re.sub(r'"#[^"]*?(DejaVu[^"]*)"', r'"#\1"', svg)
        return Html(svg.replace("<defs></defs>", ""))

    def pack(self, name: str, figure: Html) -> None:
        """Keep a figure for ``charts.js``, which shows it in print and if it cannot draw the chart."""
        self._packed[name] = figure

    def letters(self) -> Html:
        """Return the glyphs that all figures refer to, for the page to contain once."""
        paths = "".join(f'<path id="{name}"{rest}/>' for name, rest in sorted(self._glyphs.items()))
        return Html(f'<svg width="0" height="0" aria-hidden="true" class="letters"><defs>{paths}</defs></svg>')

    def block(self) -> Html:
        """Return the kept figures as a compressed element."""
        return packed(json.dumps(self._packed), "stills")

    def _keep(self, found: re.Match[str]) -> str:
        self._glyphs.setdefault(found[1], found[2])
        return ""
