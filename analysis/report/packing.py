"""What is too large for a page as it is: compressed, until ``charts.js`` unpacks it."""

from __future__ import annotations

import base64
import functools
import gzip

from analysis.report.markup import Html, element


def packed(text: str, name: str) -> Html:
    """Text as an element that shows and does nothing, by its id."""
    small = base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()
    return element("script", Html(small), type="text/plain", id=name)


@functools.cache
def plotly_script() -> str:
    """The library that draws the interactive figures."""
    from plotly.offline import get_plotlyjs  # type: ignore[import-untyped]

    return str(get_plotlyjs())


@functools.cache
def plotly_block() -> Html:
    """The library as the page carries it."""
    return packed(plotly_script(), "plotly")
