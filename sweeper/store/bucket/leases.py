"""Whose it is to run a stage, in a bucket: an object per stage, which its owner renews for as long as it lives.

A process first takes the stage's locked file in its node's cache, so that what a dead process of the same node had is
free at once. The object says which node has the stage; one that was not renewed for `LEASE_SECONDS` by the server's
clock may be taken over, on condition that it is still the same. An owner that was cut off for longer goes on without
its lease: its stage may then be done twice, and the first commit stays.
"""

from __future__ import annotations

import contextlib
import json
import threading
import uuid
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from sweeper.store.base import Unreachable
from sweeper.store.bucket.objects import Objects, Stored
from sweeper.store.local.claims import LockedClaims

PLACE = "claims"
LEASE_SECONDS = 60.0
RENEWALS = 4
"""In the time of a lease."""


class Leases:
    """Claims by key in a bucket.

    Args:
        objects: of the bucket.
        here: claims among the processes of this node.
        node: name of this node that no other has.
    """

    def __init__(self, objects: Objects, here: LockedClaims, node: str) -> None:
        self._objects = objects
        self._here = here
        self._node = node

    @contextlib.contextmanager
    def hold(self, key: str, owner: str) -> Iterator[bool]:
        """Hold the claim to a stage; False where a living process has it. A dead one's ends with its lease."""
        with self._here.hold(key, owner) as first_here:
            lease = self._take(key, owner) if first_here else None
            if lease is None:
                yield False
                return
            with lease.kept():
                yield True

    def owner(self, key: str) -> str | None:
        """Who lives and holds the claim, or None."""
        found = self._objects.get(_name(key))
        if found is None or self._is_free(key, *found):
            return None
        return str(_said(found[0]).get("owner") or "another process")

    def living(self) -> set[str]:
        """Keys of the claims that were renewed in time: the bucket is listed, not asked for every key."""
        return {each.name.rpartition("/")[2] for each in self._objects.list(PLACE) if not self._is_expired(each)}

    def remove_free(self) -> None:
        """Remove the claims that dead processes left."""
        for each in self._objects.list(PLACE):
            with self.hold(each.name.rpartition("/")[2], "a look for leftovers"):
                pass

    def _take(self, key: str, owner: str) -> _Lease | None:
        lease = _Lease(self._objects, _name(key), {"owner": owner, "node": self._node, "id": uuid.uuid4().hex})
        if lease.create():
            return lease
        found = self._objects.get(_name(key))
        if found is None:
            return lease if lease.create() else None
        dead = _said(found[0]).get("node") == self._node or self._is_expired(found[1])  # nobody here has it but we
        return lease if dead and lease.take_over(found[1].tag) else None

    def _is_free(self, key: str, content: bytes, stored: Stored) -> bool:
        dead_here = _said(content).get("node") == self._node and self._here.owner(key) is None
        return dead_here or self._is_expired(stored)

    def _is_expired(self, stored: Stored) -> bool:
        return self._objects.now() - stored.made > timedelta(seconds=LEASE_SECONDS)


class _Lease:
    """An object of ours for as long as it is renewed, each time with another content and so another tag."""

    def __init__(self, objects: Objects, name: str, said: Mapping[str, Any]) -> None:
        self._objects = objects
        self._name = name
        self._said = said
        self._renewals = 0
        self._tag: str | None = None
        self._ended = threading.Event()

    def create(self) -> bool:
        self._tag = self._objects.create(self._name, self._content())
        return self._tag is not None

    def take_over(self, tag: str) -> bool:
        self._tag = self._objects.replace(self._name, self._content(), tag)
        return self._tag is not None

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        threading.Thread(target=self._renew, daemon=True).start()
        try:
            yield
        finally:
            self._ended.set()
            if self._tag is not None:
                with contextlib.suppress(Unreachable):  # it ends by itself
                    self._objects.delete([self._name])

    def _renew(self) -> None:
        while self._tag is not None and not self._ended.wait(LEASE_SECONDS / RENEWALS):
            self._renewals += 1
            with contextlib.suppress(Unreachable):
                self._tag = self._objects.replace(self._name, self._content(), self._tag)

    def _content(self) -> bytes:
        return json.dumps({**self._said, "renewals": self._renewals}).encode()


def _name(key: str) -> str:
    return f"{PLACE}/{key}"


def _said(content: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(content)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
