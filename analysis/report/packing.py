"""Compress large parts of a page, which ``charts.js`` unpacks."""

from __future__ import annotations

import base64
import functools
import gzip

from analysis.report.markup import Html, element


def packed(text: str, name: str) -> Html:
    """Return compressed text as an inert element with an id."""
    small = base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()
    return element("script", Html(small), type="text/plain", id=name)


@functools.cache
def plotly_script() -> str:
    """Return the source of Plotly, which draws the interactive figures."""
    from plotly.offline import get_plotlyjs  # type: ignore[import-untyped]

    return str(get_plotlyjs())


@functools.cache
def plotly_block() -> Html:
    """Return Plotly as a compressed element of the page."""
    return packed(plotly_script(), "plotly")
