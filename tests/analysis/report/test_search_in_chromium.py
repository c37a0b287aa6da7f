"""A search's interactive figures in a browser."""

import pytest

from analysis.report import page
from tests.analysis.searches import digits
from tests.browser import Browser, Page, needs_chromium

pytestmark = [pytest.mark.browser, needs_chromium]
FRONT, HISTORY = (f"document.querySelector('#sweep-0-{name} .plot')" for name in ("front", "history"))


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    directory = tmp_path_factory.mktemp("report")
    path = directory / "report.html"
    path.write_text(page([digits(directory)]))
    with Browser() as browser:
        opened = browser.open(path.as_uri(), width=1600, height=3000)
        opened.wait_for("document.querySelectorAll('figure.drawn').length == 2")
        yield opened


def test_a_point_says_what_was_suggested_and_the_front_is_a_line_of_steps(shown: Page) -> None:
    every, front, reference = shown.evaluate(f"{FRONT}.data.map(({{mode, line, text}}) => [mode, line.shape, text])")
    assert [every[0], front[0], reference[0]] == ["markers", "lines+markers", "markers"]
    assert front[1] == "hv"
    assert front[2][2] == (
        "<b>suggestion 9</b><br>AIA % 73.903<br>PPC 33,630<br>case cosine<br>adapter.layers 0-64<br>adapter.lr 0.002397"
    )
    assert shown.errors == []


def test_pruned_suggestions_are_ticks_that_can_be_hidden(shown: Page) -> None:
    assert shown.evaluate(f"{HISTORY}.data[1].marker.symbol") == "line-ns-open"
    ticks = "[...document.querySelectorAll('#sweep-0-history .legend button')].at(1)"
    assert shown.evaluate(f"{ticks}.innerText").endswith("pruned suggestion")
    shown.evaluate(f"{ticks}.click()")
    assert shown.evaluate(f"{HISTORY}.data.length") == 1
