"""A real S3 server on the loopback interface, and a network before it that can be made to fail."""

import http.client
import logging
import re
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

KEYS = {"AWS_ACCESS_KEY_ID": "somebody", "AWS_SECRET_ACCESS_KEY": "a-secret", "AWS_REGION": "us-east-1"}
Harm = Literal["500", "403", "slow", "cut", "shortened", "dropped", "unanswered", "unconditional", "refusing"]


@dataclass
class Fault:
    """What befalls requests: of those with this method whose path matches so many, after the first ones."""

    harm: Harm
    method: str = ".*"
    path: str = ""
    times: int = 10**9
    after: int = 0
    seconds: float = 0.0

    def hits(self, method: str, path: str) -> bool:
        if not self.times or not re.fullmatch(self.method, method) or not re.search(self.path, path):
            return False
        self.after -= 1
        self.times -= self.after < 0
        return self.after < 0


@dataclass
class Network:
    """Requests to the server at ``port`` go through it."""

    port: int
    faults: list[Fault] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of every request."""

    def fault(self, *arguments: object, **options: object) -> Fault:
        made = Fault(*arguments, **options)  # type: ignore[arg-type]
        self.faults.append(made)
        return made

    def count(self, method: str, path: str = "") -> int:
        """Requests so far."""
        return sum(asked == method and re.search(path, where) is not None for asked, where in self.asked)


class _Handler(BaseHTTPRequestHandler):
    network: Network
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 2**16

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.network.asked.append((self.command, self.path))
        harms = [fault for fault in self.network.faults if fault.hits(self.command, self.path)]
        harm: str | None = harms[0].harm if harms else None
        headers = dict(self.headers.items())
        if harm == "dropped":
            self.close_connection = True
            return
        if harm == "refusing":
            harm = "501" if any(name.lower().startswith("if-") for name in headers) else None
        if harm in ("500", "403", "501"):
            names = {"500": "InternalError", "403": "InvalidAccessKeyId", "501": "NotImplemented"}
            self._answer(int(harm), {}, f"<Error><Code>{names[harm]}</Code></Error>".encode())
            return
        if harm == "slow":
            time.sleep(harms[0].seconds)
        if harm == "unconditional":
            headers = {name: value for name, value in headers.items() if not name.lower().startswith("if-")}
        status, told, content = self._asked(body, headers)
        if harm == "unanswered":
            self.close_connection = True
            return
        if harm == "shortened":
            content = content[: len(content) // 2]
        self._answer(status, told, content, cut=harm == "cut")

    def _asked(self, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        """What the server answers."""
        server = http.client.HTTPConnection("127.0.0.1", self.network.port)
        server.request(self.command, self.path, body, headers)
        answer = server.getresponse()
        content, told = answer.read(), dict(answer.getheaders())
        server.close()
        return answer.status, told, content

    def _answer(self, status: int, headers: dict[str, str], content: bytes, cut: bool = False) -> None:
        self.send_response_only(status)
        length = headers.get("Content-Length") if self.command == "HEAD" else None
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content[: len(content) // 2] if cut else content)
        self.close_connection = cut

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass  # noqa: N815

    def log_message(self, *arguments: object) -> None: ...


@contextmanager
def server() -> Iterator[int]:
    """The port of an S3 server without buckets."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    try:
        yield moto.get_host_and_port()[1]
    finally:
        moto.stop()


@contextmanager
def network(port: int) -> Iterator[tuple[Network, str]]:
    """A network before a server, and its address."""
    made = Network(port)
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"network": made})) as proxy:
        proxy.daemon_threads = True
        threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield made, f"http://127.0.0.1:{proxy.server_port}"
        finally:
            proxy.shutdown()


def make_bucket(address: str) -> str:
    """The name of a new bucket."""
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    urllib.request.urlopen(urllib.request.Request(f"{address}/{name}", method="PUT")).close()  # noqa: S310
    return name
