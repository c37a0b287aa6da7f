"""The objects of a bucket below a prefix: small ones whole, large ones in parts, and what the network does to them.

A request that fails is tried again with longer and longer pauses, for `PATIENCE_SECONDS` in all. What credentials there
are is taken from the environment by the client, and stands in no message.
"""

from __future__ import annotations

import functools
import os
import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    NotSupportedError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import from_url

from sweeper.errors import SweeperError
from sweeper.store.base import Unreachable

SCHEMES = ("s3", "gs")
PATIENCE_SECONDS = 120.0
"""How long a bucket that does not answer is asked again."""
REQUEST_SECONDS = 60.0
PAUSE_SECONDS = 0.1, 10.0
PART_BYTES = 16 * 2**20
"""Larger files go and come in parts, each a request of its own, and no more of them are in memory than go at once."""
PARTS_AT_ONCE = 4
CLOCK_SECONDS = 600.0
PROBES = "probes"
PROBE_TIME = timedelta(hours=1)
"""Longer than anybody looks at one."""
METADATA = ("169.254.169.254", "metadata.google.internal")
"""Asked for credentials where the environment has none."""
KEYS = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or GOOGLE_APPLICATION_CREDENTIALS)"
FIX = "is the network up, AWS_ENDPOINT_URL right, and AWS_REGION that of the bucket?"
T = TypeVar("T")


class Refused(Unreachable):
    """To ask again would not help."""


@dataclass(frozen=True)
class Stored:
    """An object, or what is known of it."""

    name: str
    """Below the prefix."""
    bytes: int
    made: datetime
    """By the server's clock."""
    tag: str
    """Another one for other bytes."""


class Objects:
    """The objects below a bucket's URL, such as ``s3://bucket/prefix``. Every method raises Unreachable."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = _client(url)
        self._clock: tuple[float, datetime] | None = None

    def get(self, name: str) -> tuple[bytes, Stored] | None:
        """A small object; None where there is none."""

        def get() -> tuple[bytes, Stored]:
            found = obstore.get(self._client, name)
            return found.bytes().to_bytes(), _stored(found.meta)

        return self._asked(get)

    def head(self, name: str) -> Stored | None:
        """What is known of an object; None where there is none."""
        return self._asked(lambda: _stored(obstore.head(self._client, name)))

    def put(self, name: str, content: bytes) -> None:
        """Write a small object, in place of an earlier one."""
        self._asked(lambda: obstore.put(self._client, name, content, use_multipart=False))

    def create(self, name: str, content: bytes) -> str | None:
        """The tag of a small object that was not there before; None, and nothing is written, where it was.

        ``content`` must be unlike any other's: by it an object is known whose writing was not answered. A bucket
        without conditional put is asked first, and another may then write between question and answer.
        """
        if self.conditional:
            return self._put(name, content, "create")
        return None if self.head(name) else self._put(name, content, "overwrite")

    def replace(self, name: str, content: bytes, tag: str) -> str | None:
        """The tag of a small object that is now in the place of the one with ``tag``; None where that is no more."""
        return self._put(name, content, {"e_tag": tag} if self.conditional else "overwrite")

    def upload(self, name: str, path: Path) -> None:
        """Write a file of any size, in parts."""
        self._asked(lambda: obstore.put(self._client, name, path, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE))

    def parts(self, name: str, size: int) -> Iterator[bytes]:
        """The bytes of an object of ``size``, in parts; fewer where it is cut short or not there."""
        for start in range(0, size, PART_BYTES):
            length = min(PART_BYTES, size - start)
            read = functools.partial(obstore.get_range, self._client, name, start=start, length=length)
            part = self._asked(read)
            if part is None:
                return
            yield part.to_bytes()

    def list(self, place: str) -> Sequence[Stored]:
        """All objects below a place, asked for by pages, in order of their names."""
        pages = self._asked(lambda: [*obstore.list(self._client, place, chunk_size=1000)])
        return sorted((_stored(each) for page in pages or () for each in page), key=lambda each: each.name)

    def delete(self, names: Iterable[str]) -> None:
        """Delete objects, as far as they are there."""
        paths = list(names)
        if paths:
            self._asked(lambda: obstore.delete(self._client, paths))

    @functools.cached_property
    def conditional(self) -> bool:
        """Whether the bucket writes an object on condition that there is none: tried once."""
        name = probe()
        self.put(name, b"first")
        try:
            return self._put(name, b"second", "create") is None
        except Refused:
            return False  # it does not know how
        finally:
            self.delete([name])

    def now(self) -> datetime:
        """The time by the server's clock, which alone is the same for all nodes."""
        if self._clock is None or time.monotonic() - self._clock[0] > CLOCK_SECONDS:
            name = probe()
            self.put(name, b"")
            seen, at = self.head(name), time.monotonic()
            self.delete([name])
            if seen is None:
                raise Refused(f"the store {self.url} lost what was just written to it", fix=FIX)
            self._clock = at, seen.made
        at, then = self._clock
        return then + timedelta(seconds=time.monotonic() - at)

    def delete_old_probes(self) -> None:
        """Those that dead processes left."""
        left = self.list(PROBES)
        self.delete(each.name for each in left if self.now() - each.made > PROBE_TIME)

    def _put(self, name: str, content: bytes, mode: Any) -> str | None:
        put = functools.partial(obstore.put, self._client, name, content, use_multipart=False, mode=mode)
        try:
            done = self._asked(put)
        except (AlreadyExistsError, PreconditionError):
            found = self.get(name)  # ours, where the answer to an earlier try was lost
            return found[1].tag if found and found[0] == content else None
        return str(done["e_tag"]) if done else None

    def _asked(self, request: Callable[[], T]) -> T | None:
        """The answer to a request, asked again until patience ends; None for what is not there."""
        until, pause = time.monotonic() + PATIENCE_SECONDS, PAUSE_SECONDS[0]
        while True:
            try:
                return request()
            except FileNotFoundError as error:
                if "NoSuchBucket" in str(error):
                    raise self._translated(error) from None
                return None
            except (AlreadyExistsError, PreconditionError):
                raise
            except BaseError as error:
                told = self._translated(error)
                if isinstance(told, Refused) or time.monotonic() + pause > until:
                    raise told from None
            time.sleep(pause)
            pause = min(2 * pause, PAUSE_SECONDS[1])

    def _translated(self, error: Exception) -> Unreachable:
        text, bucket = str(error), urlsplit(self.url).netloc
        if "NoSuchBucket" in text:
            return Refused(f"there is no bucket {bucket}", fix="create it, or choose another one with --store")
        if isinstance(error, PermissionDeniedError | UnauthenticatedError):
            fix = f"check {KEYS} in the environment, and their permissions: read, write, list and delete"
            return Refused(f"the bucket {bucket} denies access: {_reason(text)}", fix=fix)
        if any(place in text for place in METADATA):
            return Refused(f"there are no credentials for the bucket {bucket}", fix=f"set {KEYS} in the environment")
        kind = Refused if isinstance(error, NotSupportedError) or "501 Not Implemented" in text else Unreachable
        return kind(f"the store {self.url} does not answer: {_reason(text)}", fix=FIX)


def probe() -> str:
    """A name for an object that is written to see how the bucket behaves, and deleted again."""
    return f"{PROBES}/{uuid.uuid4().hex}"


def grouped(objects: Iterable[Stored], depth: int) -> dict[str, list[Stored]]:
    """Objects by the first ``depth`` words of their names."""
    groups: dict[str, list[Stored]] = {}
    for each in objects:
        groups.setdefault("/".join(each.name.split("/")[:depth]), []).append(each)
    return groups


@functools.lru_cache
def objects_at(url: str) -> Objects:
    """The same ones for all stores of this process: they keep their connections. Raises SweeperError."""
    return Objects(url)


def _client(url: str) -> Any:
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise SweeperError("a store's address must not contain credentials", fix=f"set {KEYS} in the environment")
    if parts.scheme not in SCHEMES or not parts.netloc:
        fix = "give a directory, s3://BUCKET/PREFIX or gs://BUCKET/PREFIX"
        raise SweeperError(f"'{url}' is not the address of a store", fix=fix)
    retries = {
        "max_retries": 4,
        "retry_timeout": timedelta(seconds=PATIENCE_SECONDS / 4),
        "backoff": {"init_backoff": timedelta(seconds=0.1), "max_backoff": timedelta(seconds=5), "base": 2},
    }
    options = {
        "timeout": timedelta(seconds=REQUEST_SECONDS),
        "connect_timeout": timedelta(seconds=5),
        "allow_http": _may_be_open(),
    }
    try:
        return from_url(url, retry_config=retries, client_options=options)  # type: ignore[call-overload]
    except (BaseError, ValueError) as error:
        raise SweeperError(f"the store {url} cannot be opened: {_reason(str(error))}", fix=FIX) from None


def _may_be_open() -> bool:
    """Whether requests may go over the network as plain text. Raises SweeperError where that was not allowed."""
    allowed = os.environ.get("AWS_ALLOW_HTTP", "").lower() in ("1", "true", "yes")
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    if endpoint.startswith("http://") and not allowed:
        fix = "use https, or set AWS_ALLOW_HTTP=true on a trusted network"
        raise SweeperError(f"AWS_ENDPOINT_URL is {endpoint}, which is not encrypted", fix=fix)
    return allowed


def _stored(meta: Any) -> Stored:
    return Stored(meta["path"], meta["size"], meta["last_modified"], meta["e_tag"] or "")


def _reason(text: str) -> str:
    """What a client's message of many lines comes to."""
    found = re.search(r"status code: (\d+[^:\n]*)", text) or re.search(r"HTTP error: ([^\n]+)", text)
    return found[1].strip() if found else text.partition("\n")[0].rpartition(" - ")[2]
