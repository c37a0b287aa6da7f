"""The page in a browser, from a file, as a reader has it."""

import io
from pathlib import Path

import pytest
from PIL import Image

from analysis.report import page
from tests.analysis.sweeps import layer_selection
from tests.browser import Browser, Page, needs_chromium

pytestmark = [pytest.mark.browser, needs_chromium]
TABLE = "document.querySelector('#sweep-0 table')"
BACKGROUND = "getComputedStyle(document.body).backgroundColor"
DRAWN = "document.querySelectorAll('.plot .main-svg').length"


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> str:
    directory = tmp_path_factory.mktemp("report")
    path = directory / "report.html"
    path.write_text(page([layer_selection(directory)]))
    return path.as_uri()


@pytest.fixture(scope="module")
def browser():
    with Browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def shown(browser: Browser, address: str) -> Page:
    opened = browser.open(address, width=1600, height=3000)
    opened.wait_for("document.querySelectorAll('figure.drawn').length == 3")
    return opened


@pytest.fixture(scope="module")
def narrow(browser: Browser, address: str) -> Page:
    opened = browser.open(address, width=400, height=3000, dark=True)
    opened.wait_for(DRAWN)
    return opened


def column(shown: Page, name: str) -> list[str]:
    """The cells below a head as they stand."""
    index = f"[...{TABLE}.tHead.rows[0].cells].findIndex(head => head.innerText.startsWith('{name}'))"
    return shown.evaluate(f"[...{TABLE}.tBodies[0].rows].map(row => row.cells[{index}].innerText)")


def sort(shown: Page, name: str) -> str | None:
    """Click the head of a column; what it then says of its order."""
    return shown.evaluate(
        f"(head => {{ head.querySelector('button').click(); return head.getAttribute('aria-sort') }})"
        f"([...{TABLE}.tHead.rows[0].cells].find(head => head.innerText.startsWith('{name}')))"
    )


def test_nothing_is_asked_of_the_network_and_the_console_is_quiet(shown: Page, address: str) -> None:
    assert shown.errors == []
    assert [url for url in shown.requests if not url.startswith(("data:", "blob:"))] == [address]


def test_a_head_sorts_by_number_up_and_down_and_gives_the_order_of_the_sweep_back(shown: Page) -> None:
    before = column(shown, "PPC")
    assert before == ["34054", "9728", "13056", "3328"]
    assert sort(shown, "PPC") == "ascending"
    assert column(shown, "PPC") == ["3328", "9728", "13056", "34054"]  # 34054 would be third by letters
    assert sort(shown, "PPC") == "descending"
    assert column(shown, "adapter.layers") == ["0-64", "35-54", "40-54", "45-49"]
    assert sort(shown, "PPC") is None
    assert column(shown, "PPC") == before


def test_what_is_missing_comes_last_in_both_directions(shown: Page) -> None:
    shown.evaluate(f"delete {TABLE}.tBodies[0].rows[0].cells[1].dataset.value")
    for direction, last in (("ascending", ["3328", "9728", "13056"]), ("descending", ["13056", "9728", "3328"])):
        assert sort(shown, "PPC") == direction
        assert column(shown, "PPC") == [*last, "34054"]
    assert sort(shown, "PPC") is None
    shown.evaluate(f"{TABLE}.tBodies[0].rows[0].cells[1].dataset.value = '34054'")


def test_the_keyboard_reaches_theme_and_heads_and_enter_works_them(browser: Browser, address: str) -> None:
    opened = browser.open(address, width=1600)
    reached = {}
    for _ in range(30):
        opened.press("Tab")
        reached[opened.evaluate("document.activeElement.id || document.activeElement.innerText")] = opened.evaluate(
            "getComputedStyle(document.activeElement).outlineStyle"
        )
        if opened.evaluate("document.activeElement.id") == "theme":
            opened.press("Enter")
        if opened.evaluate(f"document.activeElement.closest('th') === {TABLE}.tHead.rows[0].cells[1]"):
            opened.press("Enter")
            break
    assert {"Skip to the results", "theme", "PPC"} <= reached.keys()
    assert set(reached.values()) == {"solid"}
    assert opened.evaluate("document.documentElement.dataset.theme") == "dark"
    assert column(opened, "PPC")[0] == "3328"


def test_contents_fold_on_a_narrow_page(narrow: Page) -> None:
    shown = "getComputedStyle(document.getElementById('contents')).display"
    assert narrow.evaluate(shown) == "none"
    narrow.evaluate("document.getElementById('menu').click()")
    assert narrow.evaluate(shown) == "block"
    narrow.press("Escape")
    assert narrow.evaluate(shown) == "none"
    assert narrow.evaluate("document.activeElement.id") == "menu"


def test_a_row_s_name_leads_to_its_config(shown: Page) -> None:
    row = "document.getElementById('sweep-0-row-1')"
    assert shown.evaluate(f"{row}.open") is False
    shown.evaluate(f"{TABLE}.tBodies[0].rows[1].querySelector('a').click()")
    shown.wait_for(f"{row}.open && {row}.parentElement.closest('details').open")
    shown.wait_for(f"document.activeElement.parentElement === {row}")
    assert "base.iterations" not in shown.evaluate(f"{row}.innerText")
    assert "40-54 · seed 2" in shown.evaluate(f"{row}.innerText")


def test_figures_are_drawn_and_a_row_can_be_hidden_and_shown(shown: Page) -> None:
    traces = "document.querySelector('#sweep-0-accuracy .plot').data.length"
    button = "document.querySelector('#sweep-0-accuracy .legend button')"
    every = shown.evaluate(traces)
    assert every == 8  # four rows, each a line and its deviation
    shown.evaluate(f"{button}.click()")
    assert shown.evaluate(traces) == every - 2
    assert shown.evaluate(f"{button}.getAttribute('aria-pressed')") == "false"
    shown.evaluate(f"{button}.click()")
    assert shown.evaluate(traces) == every


def test_another_panel_is_chosen_by_its_name(shown: Page) -> None:
    plot, select = (f"document.querySelector('#sweep-0-cost {name}')" for name in (".plot", "select"))
    assert shown.evaluate(f"{plot}.layout.xaxis.title.text") == "PPC"
    shown.evaluate(f"{select}.value = 1; {select}.dispatchEvent(new Event('change'))")
    assert shown.evaluate(f"{plot}.layout.xaxis.title.text") == "seconds"


def test_the_theme_is_the_system_s_until_it_is_chosen_also_in_the_figures(shown: Page, narrow: Page) -> None:
    letters = "getComputedStyle(document.querySelector('.plot .xtick text')).fill"
    light, dark = ((each.evaluate(BACKGROUND), each.evaluate(letters)) for each in (shown, narrow))
    assert light[0] == "rgb(255, 255, 255)"
    assert all(one != other for one, other in zip(light, dark, strict=True))
    narrow.evaluate("document.getElementById('theme').click()")
    narrow.wait_for(f"{letters} === '{light[1]}'")
    assert narrow.evaluate(BACKGROUND) == light[0]
    narrow.evaluate("document.getElementById('theme').click()")
    narrow.wait_for(f"{letters} === '{dark[1]}'")


@pytest.mark.parametrize("width", [400, 1600])
def test_the_page_is_no_wider_than_its_window_and_not_blank(browser: Browser, address: str, width: int) -> None:
    opened = browser.open(address, width=width, height=3000)
    opened.wait_for(DRAWN)
    opened.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert opened.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    picture = Image.open(io.BytesIO(opened.screenshot())).convert("RGB")
    assert len(picture.getcolors(2**24)) > 200


def test_where_plotly_cannot_be_had_the_figures_stand_still(browser: Browser, address: str, tmp_path: Path) -> None:
    text = Path(address.removeprefix("file://")).read_text()
    broken = tmp_path / "broken.html"
    broken.write_text(text.replace('id="plotly">', 'id="plotly">broken'))
    opened = browser.open(broken.as_uri(), width=1600)
    opened.wait_for("document.querySelector('#sweep-0-accuracy .still svg')")
    still = "document.querySelector('#sweep-0-accuracy .still svg')"
    assert opened.evaluate(f"{still}.getBoundingClientRect().height") > 100
    assert opened.evaluate("document.querySelectorAll('figure.drawn').length") == 0
