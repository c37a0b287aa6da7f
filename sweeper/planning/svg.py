"""Draw a sweep's graph as SVG, alone or in an HTML page: a column for every depth, a box for every group of stages."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from sweeper.errors import SweeperError
from sweeper.planning.boxes import Box, Boxes
from sweeper.planning.counts import headline
from sweeper.planning.forecast import Forecast
from sweeper.planning.preview import sums
from sweeper.planning.sharing import Sharing
from sweeper.planning.text import clock

WIDTH, HEIGHT = 204, 42
ACROSS, DOWN = 300, 52
"""Distances from one box to the next."""
MARGIN, TOP = 20, 62
LETTERS = 31
"""Letters that fit into a box."""
MAX_COUNTS = 3
"""Edges that meet a box at most for their counts to be drawn; the counts of more are only in tooltips."""
MAX_NAMES = 30
STATES = {"cached": "cached", "to-run": "to run", "mixed": "mixed", "idle": "not needed"}
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2328; }
.paper { fill: #ffffff; }
.title { font-size: 15px; font-weight: 600; }
.small, .count { font-size: 11px; fill: #59636e; }
.count { font-size: 10px; }
.edge { fill: none; stroke: #8c959f; stroke-opacity: 0.55; }
.edge:hover { stroke: #0969da; stroke-opacity: 1; }
.cached rect { fill: #dafbe1; stroke: #1a7f37; }
.to-run rect { fill: #ddf4ff; stroke: #0969da; }
.mixed rect { fill: #fff8c5; stroke: #9a6700; }
.idle rect { fill: #f6f8fa; stroke: #818b98; }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc; }
.paper { fill: #0d1117; }
.small, .count { fill: #9198a1; }
.edge { stroke: #656c76; }
.cached rect { fill: #12331d; stroke: #3fb950; }
.to-run rect { fill: #10294a; stroke: #4493f8; }
.mixed rect { fill: #3a2d0c; stroke: #d29922; }
.idle rect { fill: #151b23; stroke: #656c76; }
}
"""
PAGE_STYLE = """
:root { color-scheme: light dark; }
h1 { font-size: 18px; overflow-wrap: anywhere; }
body { margin: 24px; font: 14px system-ui, sans-serif; background: #ffffff; color: #1f2328; }
pre { font: 13px ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
.graph { overflow-x: auto; }
@media (prefers-color-scheme: dark) { body { background: #0d1117; color: #f0f6fc; } }
"""


def check_suffix(path: Path) -> None:
    """Check that a file ends in .svg or .html. Raises SweeperError if not."""
    if path.suffix not in (".svg", ".html"):
        fix = f"--graph {path.with_suffix('.svg')} or --graph {path.with_suffix('.html')}"
        raise SweeperError(f"cannot draw a graph as '{path.name}': expected .svg or .html", fix=fix)


def draw(forecast: Forecast, told: Mapping[str, Any], path: Path) -> None:
    """Write the graph to a file. Raises SweeperError if the file cannot be written.

    Args:
        forecast: the sweep.
        told: the sweep's forecast as JSON.
        path: the file; its suffix, .svg or .html, sets the format.
    """
    image = svg(Boxes.of(forecast), forecast.sharing, headline(told).partition("\n")[0])
    root = image if path.suffix == ".svg" else _page(image, told)
    text = ET.tostring(root, encoding="unicode")
    try:
        path.write_text(text if path.suffix == ".svg" else f"<!DOCTYPE html>\n{text}\n", encoding="utf-8")
    except OSError as error:
        raise SweeperError(f"{path} cannot be written: {error.strerror}", fix="choose another file") from None


def svg(graph: Boxes, sharing: Sharing, title: str) -> ET.Element:
    """Return the drawing. The tooltip of a box lists its rows and its seconds."""
    columns = graph.columns()
    deepest = max(map(len, columns))
    width, height = 2 * MARGIN + WIDTH + ACROSS * (len(columns) - 1), TOP + MARGIN + DOWN * deepest
    root = ET.Element(
        "svg",
        xmlns="http://www.w3.org/2000/svg",
        width=str(width),
        height=str(height),
        viewBox=f"0 0 {width} {height}",
    )
    ET.SubElement(root, "style").text = STYLE
    ET.SubElement(root, "rect", {"class": "paper", "width": "100%", "height": "100%"})
    _text(root, MARGIN, 26, _cut(title, width // 9), "title")
    _legend(root, {box.state for box in graph.boxes})
    corners = {
        box: (MARGIN + ACROSS * depth, TOP + DOWN * (deepest * (place + 0.5) / len(column) - 0.5))
        for depth, column in enumerate(columns)
        for place, box in enumerate(column)
    }
    _edges(root, graph, corners)
    for index, (x, y) in corners.items():
        _box(root, graph.boxes[index], x, y, sharing)
    return root


def _legend(root: ET.Element, states: set[str]) -> None:
    x = MARGIN
    for state, words in STATES.items():
        if state in states:
            group = ET.SubElement(root, "g", {"class": state})
            ET.SubElement(group, "rect", x=str(x), y="38", width="12", height="12", rx="3")
            _text(group, x + 18, 48, words, "small")
            x += 100


def _edges(root: ET.Element, graph: Boxes, corners: Mapping[int, tuple[float, float]]) -> None:
    """Draw curves from a box's right side to another's left side, with their counts if they fit."""
    leave, arrive = _spread(graph.edges, corners, 0), _spread(graph.edges, corners, 1)
    into = Counter(second for _, second in graph.edges)
    for (first, second), count in graph.edges.items():
        x, y, to_x, to_y = corners[first][0] + WIDTH, leave[first, second], corners[second][0], arrive[first, second]
        bend = (to_x - x) / 2
        curve = f"M{x:g},{y:g} C{x + bend:g},{y:g} {to_x - bend:g},{to_y:g} {to_x:g},{to_y:g}"
        thick = f"{1 + math.log10(count):.1f}"
        edge = ET.SubElement(root, "path", {"class": "edge", "d": curve, "stroke-width": thick})
        names = (graph.boxes[each].function for each in (first, second))
        ET.SubElement(edge, "title").text = "{} to {}: {:,}".format(*names, count)
        if into[second] <= MAX_COUNTS:
            _text(root, to_x - 6, to_y + 3, f"{count:,}", "count").set("text-anchor", "end")


def _spread(
    edges: Collection[tuple[int, int]], corners: Mapping[int, tuple[float, float]], end: int
) -> dict[tuple[int, int], float]:
    """Return the heights at which edges meet the box at one end, in the order of the boxes at the other end."""
    meeting: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for edge in sorted(edges, key=lambda edge: corners[edge[1 - end]][1]):
        meeting[edge[end]].append(edge)
    return {
        edge: corners[box][1] + HEIGHT * (place + 1) / (len(found) + 1)
        for box, found in meeting.items()
        for place, edge in enumerate(found)
    }


def _box(root: ET.Element, box: Box, x: float, y: float, sharing: Sharing) -> None:
    group = ET.SubElement(root, "g", {"class": f"box {box.state}"})
    ET.SubElement(group, "title").text = _tooltip(box, sharing)
    ET.SubElement(group, "rect", x=f"{x:g}", y=f"{y:g}", width=str(WIDTH), height=str(HEIGHT), rx="6")
    count = f" ×{box.stages:,}"
    _text(group, x + 10, y + 17, _cut(box.function, LETTERS - 2 - len(count)) + count, "function")
    _text(group, x + 10, y + 33, _cut(box.words, LETTERS), "small")


def _tooltip(box: Box, sharing: Sharing) -> str:
    names = [sharing.labels[index] for index in box.rows[:MAX_NAMES]]
    more = f", and {len(box.rows) - MAX_NAMES:,} more" if len(box.rows) > MAX_NAMES else ""
    seconds = "time unknown" if box.seconds is None else f"{clock(box.seconds)} in total"
    return (
        f"{box.function}: {box.stages:,} stages, {box.cached:,} cached, {box.to_run:,} to run, {seconds}\n"
        f"rows: {', '.join(names)}{more}"
    )


def _text(parent: ET.Element, x: float, y: float, text: str, kind: str) -> ET.Element:
    element = ET.SubElement(parent, "text", {"x": f"{x:g}", "y": f"{y:g}", "class": kind})
    element.text = text
    return element


def _page(image: ET.Element, told: Mapping[str, Any]) -> ET.Element:
    html = ET.Element("html", lang="en")
    head = ET.SubElement(html, "head")
    ET.SubElement(head, "meta", charset="utf-8")
    ET.SubElement(head, "title").text = told["name"]
    ET.SubElement(head, "style").text = PAGE_STYLE
    body = ET.SubElement(html, "body")
    ET.SubElement(body, "h1").text = told["name"]
    ET.SubElement(body, "pre").text = "\n".join([headline(told), "", *sums(told)])
    ET.SubElement(body, "div", {"class": "graph"}).append(image)
    return html


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1]}…"
