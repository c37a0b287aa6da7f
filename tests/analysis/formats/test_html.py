from html.parser import HTMLParser
from pathlib import Path

import pytest

from analysis.formats import render
from analysis.formats.html import html_table
from analysis.sheets import table_sheets
from analysis.summary import summarise
from tests.analysis.sweeps import UNRUN, write_sweep
from tests.analysis.tables import SNAPSHOTS


class Checked(HTMLParser):
    """Fails on an element that is not closed, or closed in the wrong place."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[int] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)
        if tag == "tr":
            self.cells.append(0)
        elif tag in ("th", "td"):
            self.cells[-1] += 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag == "table":
            assert len(set(self.cells)) == 1
            self.cells.clear()


@pytest.mark.parametrize("path", sorted(SNAPSHOTS.glob("*.html")), ids=lambda path: path.stem)
def test_tables_are_well_formed_and_every_line_has_as_many_cells(path: Path) -> None:
    checked = Checked()
    checked.feed(path.read_text())
    assert checked.open == []


def test_names_are_text_and_never_elements(tmp_path: Path) -> None:
    row = {"adapter.layers": '<script>alert("1")</script>', "seed": 0, "ppc": 1, "la": 2.0, "aia": 3.0}
    told = render(summarise(write_sweep(tmp_path, [row], name="a<b")), "html")
    assert "<script" not in told
    assert "&lt;script&gt;alert(&quot;1&quot;)" in told
    assert "<caption>a&lt;b</caption>" in told


def test_a_cell_says_what_it_is_sorted_by_and_whether_it_is_whole(tmp_path: Path) -> None:
    rows = [
        {"adapter.layers": "a", "seed": 0, "ppc": 7, "la": 2.5, "aia": None},
        {"adapter.layers": "a", "seed": 1, "ppc": 7, "la": None, "aia": None, **UNRUN},
    ]
    (sheet,) = table_sheets(summarise(write_sweep(tmp_path, rows)))
    assert html_table(sheet).splitlines()[6] == (
        '<tr><th scope="row" data-value="a">a</th><td class="number" data-value="7.0">7</td>'
        '<td class="number partial" data-value="2.5">2.50 (n=1 of 2)</td><td class="number partial">missing</td></tr>'
    )
