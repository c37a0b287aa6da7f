"""The objects of a bucket below a prefix: small ones whole, large ones in parts, with retries.

A failed request is retried with increasing pauses, for `PATIENCE_SECONDS` in total. The client takes credentials from
the environment; no message contains them.
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
"""How long requests to a bucket that does not respond are retried."""
REQUEST_SECONDS = 60.0
PAUSE_SECONDS = 0.1, 10.0
PART_BYTES = 16 * 2**20
"""Larger files are transferred in parts, one request each, with at most PARTS_AT_ONCE of them in memory."""
PARTS_AT_ONCE = 4
CLOCK_SECONDS = 600.0
PROBES = "probes"
PROBE_TIME = timedelta(hours=1)
"""Age after which a probe was left behind by a dead process."""
METADATA = ("169.254.169.254", "metadata.google.internal")
"""Servers that the client contacts for credentials if the environment has none."""
KEYS = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or GOOGLE_APPLICATION_CREDENTIALS)"
FIX = "check the network, AWS_ENDPOINT_URL, and that AWS_REGION is the bucket's region"
T = TypeVar("T")


class Refused(Unreachable):
    """A request failed in a way that a retry would not change."""


@dataclass(frozen=True)
class Stored:
    """The metadata of an object."""

    name: str
    """Its name below the prefix."""
    bytes: int
    made: datetime
    """Time of its last change, by the server's clock."""
    tag: str
    """ETag, which differs for different bytes."""


class Objects:
    """The objects below a bucket's URL, such as ``s3://bucket/prefix``. Every method raises Unreachable."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = _client(url)
        self._clock: tuple[float, datetime] | None = None

    def get(self, name: str) -> tuple[bytes, Stored] | None:
        """Return a small object with its metadata; None if it does not exist."""

        def get() -> tuple[bytes, Stored]:
            found = obstore.get(self._client, name)
            return found.bytes().to_bytes(), _stored(found.meta)

        return self._asked(get)

    def head(self, name: str) -> Stored | None:
        """Return the metadata of an object; None if it does not exist."""
        return self._asked(lambda: _stored(obstore.head(self._client, name)))

    def put(self, name: str, content: bytes) -> None:
        """Write a small object, replacing an existing one."""
        self._asked(lambda: obstore.put(self._client, name, content, use_multipart=False))

    def create(self, name: str, content: bytes) -> str | None:
        """Create a small object and return its tag; if it already exists, write nothing and return None.

        ``content`` must be unique: it identifies an object whose write got no response. In a bucket without
        conditional put, existence is checked first, and another process may write in between.
        """
        if self.conditional:
            return self._put(name, content, "create")
        return None if self.head(name) else self._put(name, content, "overwrite")

    def replace(self, name: str, content: bytes, tag: str) -> str | None:
        """Replace the small object that has ``tag`` and return the new tag; None if it has changed or is gone."""
        return self._put(name, content, {"e_tag": tag} if self.conditional else "overwrite")

    def upload(self, name: str, path: Path) -> None:
        """Write a file of any size, in parts."""
        self._asked(lambda: obstore.put(self._client, name, path, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE))

    def parts(self, name: str, size: int) -> Iterator[bytes]:
        """Yield the bytes of an object of ``size`` in parts; fewer if it is shorter or does not exist."""
        for start in range(0, size, PART_BYTES):
            length = min(PART_BYTES, size - start)
            read = functools.partial(obstore.get_range, self._client, name, start=start, length=length)
            part = self._asked(read)
            if part is None:
                return
            yield part.to_bytes()

    def list(self, place: str) -> Sequence[Stored]:
        """List all objects below a prefix, in order of their names."""
        pages = self._asked(lambda: [*obstore.list(self._client, place, chunk_size=1000)])
        return sorted((_stored(each) for page in pages or () for each in page), key=lambda each: each.name)

    def delete(self, names: Iterable[str]) -> None:
        """Delete those of the objects that exist."""
        paths = list(names)
        if paths:
            self._asked(lambda: obstore.delete(self._client, paths))

    @functools.cached_property
    def conditional(self) -> bool:
        """True if the bucket supports conditional put (create only if absent); tested once."""
        name = probe()
        self.put(name, b"first")
        try:
            return self._put(name, b"second", "create") is None
        except Refused:
            return False  # not supported
        finally:
            self.delete([name])

    def now(self) -> datetime:
        """Return the time by the server's clock, the only one that all nodes share."""
        if self._clock is None or time.monotonic() - self._clock[0] > CLOCK_SECONDS:
            name = probe()
            self.put(name, b"")
            seen, at = self.head(name), time.monotonic()
            self.delete([name])
            if seen is None:
                raise Refused(f"the store {self.url} lost an object that was just written", fix=FIX)
            self._clock = at, seen.made
        at, then = self._clock
        return then + timedelta(seconds=time.monotonic() - at)

    def delete_old_probes(self) -> None:
        """Delete the probes that dead processes left."""
        left = self.list(PROBES)
        self.delete(each.name for each in left if self.now() - each.made > PROBE_TIME)

    def _put(self, name: str, content: bytes, mode: Any) -> str | None:
        put = functools.partial(obstore.put, self._client, name, content, use_multipart=False, mode=mode)
        try:
            done = self._asked(put)
        except (AlreadyExistsError, PreconditionError):
            found = self.get(name)  # equal if an earlier try succeeded but its response was lost
            return found[1].tag if found and found[0] == content else None
        return str(done["e_tag"]) if done else None

    def _asked(self, request: Callable[[], T]) -> T | None:
        """Send a request, with retries until patience ends, and return the response; None if the object is missing."""
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
            return Refused(f"the bucket {bucket} does not exist", fix="create it, or choose another one with --store")
        if isinstance(error, PermissionDeniedError | UnauthenticatedError):
            fix = f"check {KEYS} in the environment, and their permissions: read, write, list and delete"
            return Refused(f"the bucket {bucket} denies access: {_reason(text)}", fix=fix)
        if any(place in text for place in METADATA):
            return Refused(f"no credentials for the bucket {bucket}", fix=f"set {KEYS} in the environment")
        kind = Refused if isinstance(error, NotSupportedError) or "501 Not Implemented" in text else Unreachable
        return kind(f"the store {self.url} does not respond: {_reason(text)}", fix=FIX)


def probe() -> str:
    """Return a name for a temporary object that tests the bucket's behaviour."""
    return f"{PROBES}/{uuid.uuid4().hex}"


def grouped(objects: Iterable[Stored], depth: int) -> dict[str, list[Stored]]:
    """Group objects by the first ``depth`` parts of their names."""
    groups: dict[str, list[Stored]] = {}
    for each in objects:
        groups.setdefault("/".join(each.name.split("/")[:depth]), []).append(each)
    return groups


@functools.lru_cache
def objects_at(url: str) -> Objects:
    """Return the objects at a URL, shared by all stores of this process to reuse connections. Raises SweeperError."""
    return Objects(url)


def _client(url: str) -> Any:
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise SweeperError("a store's address must not contain credentials", fix=f"set {KEYS} in the environment")
    if parts.scheme not in SCHEMES or not parts.netloc:
        fix = "use a directory, s3://BUCKET/PREFIX or gs://BUCKET/PREFIX"
        raise SweeperError(f"'{url}' is not a valid store address", fix=fix)
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
    """Check whether plain HTTP is allowed. Raises SweeperError if the endpoint requires it and it is not."""
    allowed = os.environ.get("AWS_ALLOW_HTTP", "").lower() in ("1", "true", "yes")
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    if endpoint.startswith("http://") and not allowed:
        fix = "use https, or set AWS_ALLOW_HTTP=true on a trusted network"
        raise SweeperError(f"AWS_ENDPOINT_URL is {endpoint}, which is not encrypted", fix=fix)
    return allowed


def _stored(meta: Any) -> Stored:
    return Stored(meta["path"], meta["size"], meta["last_modified"], meta["e_tag"] or "")


def _reason(text: str) -> str:
    """Return the gist of a client's message of many lines."""
    found = re.search(r"status code: (\d+[^:\n]*)", text) or re.search(r"HTTP error: ([^\n]+)", text)
    return found[1].strip() if found else text.partition("\n")[0].rpartition(" - ")[2]
