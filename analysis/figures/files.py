"""Write figures to files, or as SVG inside a page. The same figure gives the same bytes."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib.style
from matplotlib.figure import Figure
from PIL import Image

from analysis.figures.style import INK, STYLE

PAGE_DPI = 144
"""Resolution of rasterised parts in a page: two pixels per point."""
PALETTE = 64
"""Number of colours of rasterised parts in a page."""
UNDATED = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {"Software": None}}
SALT = "sweeper"


@contextmanager
def styled(salt: str = SALT) -> Iterator[None]:
    """Draw and write figures in the project's style, independent of the user's settings."""
    with matplotlib.style.context(["default", STYLE | {"svg.hashsalt": salt}]):
        yield


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PDF, SVG or PNG (300 dpi) by the path's suffix. Raises OSError if it cannot be written."""
    kind = path.suffix.removeprefix(".")
    with styled():
        figure.savefig(path, format=kind, metadata=UNDATED[kind])


def svg(figure: Figure, name: str) -> str:
    """Return a figure as an ``<svg>`` element for a light or dark page.

    Its background is transparent; text and axes have the page's ``currentColor``; other colours are legible on both.

    Args:
        figure: the figure.
        name: prefix of all its ids, unique within the page.
    """
    written = io.StringIO()
    with styled(name):
        figure.savefig(written, format="svg", transparent=True, metadata=UNDATED["svg"], dpi=PAGE_DPI)
    text = written.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", text[text.index("<svg ") :], flags=re.DOTALL)
    text = re.sub(r"\s+", " ", re.sub(r">\s+<", "><", text))
    used = set(re.findall(r'(?<=href="#)[^"]+|(?<=url\(#)[^)]+', text))
    text = re.sub(r' id="([^"]+)"', lambda each: f' id="{name}-{each[1]}"' if each[1] in used else "", text)
    text = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", text)
    text = re.sub(r"(?<=data:image/png;base64,)[^\"]+", _smaller, text)
    text = re.sub(r' (d|x|y|points)="[^"]*"', lambda each: re.sub(r"(\.\d\d)\d+", r"\1", each[0]), text)
    return text.replace(INK, "currentColor")


def _smaller(image: re.Match[str]) -> str:
    """Reduce a PNG to a palette of few colours."""
    written = io.BytesIO()
    picture = Image.open(io.BytesIO(base64.b64decode(image[0]))).convert("RGBA")
    picture.quantize(PALETTE, method=Image.Quantize.FASTOCTREE).save(written, "png", optimize=True)
    return base64.b64encode(written.getvalue()).decode()
