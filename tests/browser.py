"""Headless Chromium for tests, driven by the DevTools protocol over a pipe: JSON messages, each ended by a zero byte.

    with Browser() as browser:
        page = browser.open("http://127.0.0.1:5000", width=400, dark=True)
        page.wait_for("document.querySelector('svg')")
        assert page.errors == []

Every browser starts with an empty profile, and ends with the ``with`` block, or with the process that started it.
"""

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Mapping
from typing import Any, Self

import pytest

SECONDS = 30.0
"""An answer that takes longer fails the test."""
NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-breakpad",
    "--no-default-browser-check",
    "--remote-debugging-pipe",
)
KEYS = {
    "Tab": (9, ""),
    "Enter": (13, "\r"),
    "Escape": (27, ""),
    " ": (32, " "),
    "ArrowLeft": (37, ""),
    "ArrowUp": (38, ""),
    "ArrowRight": (39, ""),
    "ArrowDown": (40, ""),
}
"""Virtual code and text by the key's name in the DOM."""


def find_chromium() -> str | None:
    """The browser of this machine; None where it has none."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


needs_chromium = pytest.mark.skipif(find_chromium() is None, reason="no Chromium here: apt-get install chromium")


class Browser:
    """A Chromium of its own. Raises TimeoutError when it does not answer."""

    def __enter__(self) -> Self:
        self._profile = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        theirs, self._write = _pipe()
        self._read, ours = _pipe()
        null = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
        pipes = [(os.POSIX_SPAWN_DUP2, theirs, 3), (os.POSIX_SPAWN_DUP2, ours, 4)]
        command = [str(find_chromium()), *ARGUMENTS, f"--user-data-dir={self._profile.name}", "about:blank"]
        self._pid = os.posix_spawn(command[0], command, os.environ, file_actions=[*null, *pipes], setsid=True)
        os.close(theirs)
        os.close(ours)
        self._buffer, self._number = b"", 0
        self._pages: dict[str, Page] = {}
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            self.call("Browser.close")
        with contextlib.suppress(ProcessLookupError):  # also of what it has started
            os.killpg(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._read)
        os.close(self._write)
        self._profile.cleanup()

    def open(self, url: str, width: int = 1200, height: int = 800, dark: bool = False) -> "Page":
        """A page of this size in CSS pixels, once it is loaded."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        page = self._pages[session] = Page(self, session)
        page.show(url, width, height, dark)
        return page

    def call(self, method: str, params: Mapping[str, Any] | None = None, session: str | None = None) -> dict[str, Any]:
        """The answer to a command of the protocol. Raises RuntimeError for one that is refused."""
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": params or {}}
        os.write(self._write, json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0")
        until = time.monotonic() + SECONDS
        while True:
            answer = self.read(until)
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result

    def read(self, until: float) -> dict[str, Any]:
        """The next message; an event is told to its page. Raises TimeoutError."""
        while b"\0" not in self._buffer:
            if not select.select([self._read], [], [], max(0.0, until - time.monotonic()))[0]:
                raise TimeoutError(f"Chromium has not answered for {SECONDS:.0f} s")
            received = os.read(self._read, 2**20)
            if not received:
                raise OSError("Chromium has ended")
            self._buffer += received
        text, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        if page := self._pages.get(message.get("sessionId", "")):
            page.hear(message.get("method", ""), message.get("params", {}))
        return message


class Page:
    """A page of a browser."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser, self._session, self._loaded = browser, session, False
        self._errors: list[str] = []
        self._requests: list[str] = []

    @property
    def errors(self) -> list[str]:
        """What the console has shown as an error so far, and what was thrown and not caught."""
        self.evaluate("0")  # what was said before is heard with the answer
        return self._errors

    @property
    def requests(self) -> list[str]:
        """Every address that the page has asked for so far, its own first."""
        self.evaluate("0")
        return self._requests

    def show(self, url: str, width: int, height: int, dark: bool) -> None:
        """Go to an address, and wait until it is loaded."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._call("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", {"features": [scheme]})
        self._call("Emulation.setFocusEmulationEnabled", {"enabled": True})
        self._loaded = False
        if error := self._call("Page.navigate", {"url": url}).get("errorText"):
            raise RuntimeError(f"{url}: {error}")
        until = time.monotonic() + SECONDS
        while not self._loaded:
            self._browser.read(until)

    def evaluate(self, script: str) -> Any:
        """The value of an expression, awaited where it is a promise. Raises RuntimeError for what it throws."""
        wanted = {"expression": script, "returnByValue": True, "awaitPromise": True, "userGesture": True}
        answer = self._call("Runtime.evaluate", wanted)
        if thrown := answer.get("exceptionDetails"):
            raise RuntimeError(_thrown(thrown))
        return answer["result"].get("value")

    def wait_for(self, script: str, seconds: float = SECONDS) -> Any:
        """The value of an expression once it is true. Raises TimeoutError with the console's errors."""
        until = time.monotonic() + seconds
        while not (value := self.evaluate(f"(value => value instanceof Node || value)({script})")):
            if time.monotonic() > until:
                raise TimeoutError(f"{script} is not true after {seconds:.0f} s; errors: {self.errors}")
            time.sleep(0.05)
        return value

    def press(self, key: str, shift: bool = False) -> None:
        """Press and release a key by its name in the DOM, such as ``Tab`` or ``Enter``."""
        code, text = KEYS[key]
        said = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": code}
        said["modifiers"] = 8 if shift else 0
        self._call("Input.dispatchKeyEvent", {"type": "keyDown", **said, **({"text": text} if text else {})})
        self._call("Input.dispatchKeyEvent", {"type": "keyUp", **said})

    def screenshot(self, whole: bool = False) -> bytes:
        """What is to be seen, as PNG; the whole page, also what is scrolled out of sight, where asked."""
        wanted = {"format": "png", "captureBeyondViewport": whole}
        if whole:
            box = self._call("Page.getLayoutMetrics")["cssContentSize"]
            wanted["clip"] = {**box, "scale": 1}
        return base64.b64decode(self._call("Page.captureScreenshot", wanted)["data"])

    def hear(self, event: str, said: Mapping[str, Any]) -> None:
        """Note an event."""
        if event == "Page.loadEventFired":
            self._loaded = True
        elif event == "Network.requestWillBeSent":
            self._requests.append(said["request"]["url"])
        elif event == "Runtime.exceptionThrown":
            self._errors.append(_thrown(said["exceptionDetails"]))
        elif event == "Runtime.consoleAPICalled" and said["type"] in ("error", "assert"):
            self._errors.append(" ".join(str(each.get("value", each.get("description"))) for each in said["args"]))
        elif event == "Log.entryAdded" and said["entry"]["level"] == "error":
            self._errors.append(f"{said['entry']['text']} {said['entry'].get('url', '')}".strip())

    def _call(self, method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return self._browser.call(method, params, self._session)


def _pipe() -> tuple[int, int]:
    """The ends of a pipe, numbered above 9: the browser's own are 3 and 4."""
    ends = os.pipe()
    read, write = (fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, 10) for each in ends)
    for each in ends:
        os.close(each)
    return read, write


def _thrown(details: Mapping[str, Any]) -> str:
    return str(details.get("exception", {}).get("description", details["text"]))
