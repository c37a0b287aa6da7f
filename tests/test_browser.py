"""The driver itself: a test that it lets pass must have seen the page."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.browser import Browser, needs_chromium

pytestmark = [pytest.mark.browser, needs_chromium]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as started:
        yield started


def written(path: Path, html: str) -> str:
    path.write_text(f"<!doctype html><meta charset=utf-8>{html}")
    return path.as_uri()


def test_a_page_is_evaluated_and_waited_for(browser: Browser, tmp_path: Path) -> None:
    later = "<p>…</p><script>setTimeout(() => document.querySelector('p').textContent = 'ready · 1', 100)</script>"
    page = browser.open(written(tmp_path / "later.html", later))
    page.wait_for("document.querySelector('p').textContent.startsWith('ready')")
    assert page.evaluate("Promise.resolve(document.querySelector('p').textContent)") == "ready · 1"
    with pytest.raises(TimeoutError, match="h1"):
        page.wait_for("document.querySelector('h1')", seconds=0.1)
    with pytest.raises(RuntimeError, match="absent is not defined"):
        page.evaluate("absent")


def test_errors_are_those_of_the_console_of_scripts_and_of_what_cannot_be_loaded(
    browser: Browser, tmp_path: Path
) -> None:
    page = browser.open(written(tmp_path / "fine.html", "<script>console.log('fine')</script>"))
    assert page.errors == []
    wrong = "<script>console.error('wrong', 3)</script><script>undefined.x</script><img src=absent.png>"
    page = browser.open(written(tmp_path / "wrong.html", wrong))
    told, thrown, absent = sorted(page.errors, key=lambda error: ("Failed" in error, "TypeError" in error))
    assert told == "wrong 3"
    assert thrown.startswith("TypeError: Cannot read properties of undefined")
    assert absent.startswith("Failed to load resource: net::ERR_FILE_NOT_FOUND")
    assert page.requests[0].endswith("/wrong.html")
    assert page.requests[-1].endswith("/absent.png")


def test_a_screenshot_has_the_size_and_the_scheme_that_were_asked_for(browser: Browser, tmp_path: Path) -> None:
    style = (
        "<style>body {margin: 0; height: 900px; background: #fff}"
        "@media (prefers-color-scheme: dark) {body {background: #123456}}</style>"
    )
    url = written(tmp_path / "scheme.html", style)
    for dark, colour in ((False, (255, 255, 255)), (True, (0x12, 0x34, 0x56))):
        page = browser.open(url, width=400, height=300, dark=dark)
        with Image.open(io.BytesIO(page.screenshot())) as seen:
            assert seen.size == (400, 300)
            assert seen.convert("RGB").getpixel((200, 150)) == colour
    with Image.open(io.BytesIO(page.screenshot(whole=True))) as seen:
        assert seen.size[1] == 900


def test_keys_move_the_focus_and_press_buttons(browser: Browser, tmp_path: Path) -> None:
    buttons = "<button>a</button><button onclick='this.textContent += 1'>b</button>"
    page = browser.open(written(tmp_path / "keys.html", buttons))
    focused = "document.activeElement.textContent"
    page.press("Tab")
    page.press("Tab")
    assert page.evaluate(focused) == "b"
    page.press("Enter")
    page.press(" ")
    assert page.evaluate(focused) == "b11"
    page.press("Tab", shift=True)
    assert page.evaluate(focused) == "a"


def test_an_address_that_does_not_answer_is_an_error(browser: Browser) -> None:
    with pytest.raises(RuntimeError, match="ERR_"):
        browser.open("http://127.0.0.1:9")
