"""The answers of the Hugging Face hub that loading a data set takes, from a directory, on the loopback interface."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

COMMIT = "a" * 40
REVISIONS = ("main", "v1", COMMIT)
GATED = "owner/gated"


class Handler(BaseHTTPRequestHandler):
    """Repository ``owner/digits`` has the files of ``root``; ``owner/gated`` exists and may not be read."""

    root: Path

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if path.startswith("/api/datasets/owner/digits"):
            self._describe(path.removeprefix("/api/datasets/owner/digits").strip("/"))
        elif path.startswith("/datasets/owner/digits/resolve/"):
            self._file(*path.removeprefix("/datasets/owner/digits/resolve/").split("/", 1))
        elif path.startswith(f"/api/datasets/{GATED}"):
            self._json({"id": GATED, "sha": COMMIT, "gated": "auto"})
        elif path.startswith(f"/datasets/{GATED}"):
            self._answer(403, {"X-Error-Code": "GatedRepo"})
        else:
            self._answer(401, {"X-Error-Code": "RepoNotFound"})

    def do_HEAD(self) -> None:
        self.do_GET()

    def _describe(self, asked: str) -> None:
        what, _, rest = asked.partition("/")
        revision, _, directory = rest.partition("/")
        if revision not in ("", *REVISIONS):
            self._answer(404, {"X-Error-Code": "RevisionNotFound"})
        elif what != "tree":
            self._json({"id": "owner/digits", "sha": COMMIT})
        else:
            self._json([self._entry(each) for each in sorted((self.root / directory).iterdir())])

    def _entry(self, path: Path) -> dict[str, object]:
        kind, size = ("file", path.stat().st_size) if path.is_file() else ("directory", 0)
        return {"type": kind, "path": path.relative_to(self.root).as_posix(), "size": size, "oid": "0" * 40}

    def _file(self, revision: str, name: str) -> None:
        path, commit = self.root / name, {"X-Repo-Commit": COMMIT}
        if revision in REVISIONS and path.is_file():
            content = path.read_bytes()
            self._answer(200, {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', **commit}, content)  # noqa: S324
        else:
            self._answer(404, {"X-Error-Code": "EntryNotFound", **commit})

    def _json(self, value: object) -> None:
        self._answer(200, {"Content-Type": "application/json"}, json.dumps(value).encode())

    def _answer(self, status: int, headers: dict[str, str], content: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def hub(root: Path, port: int = 0) -> Iterator[int]:
    """Serve ``root``; gives the port."""
    server = ThreadingHTTPServer(("127.0.0.1", port), type("Rooted", (Handler,), {"root": root}))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
