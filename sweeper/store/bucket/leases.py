"""Leases in a bucket: which process may run a stage, as an object per stage that its owner keeps renewing.

A process first locks the stage's file in its node's cache, so that the lease of a dead process on the same node is free
at once. The object names the node that has the stage. A lease that was not renewed for `LEASE_SECONDS`, by the server's
clock, may be taken over if its object is unchanged. An owner that was disconnected for longer continues without its
lease: its stage may then run twice, and the first commit wins.
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
"""Renewals per duration of a lease."""


class Leases:
    """Claims by key in a bucket.

    Args:
        objects: the objects of the bucket.
        here: claims among the processes of this node.
        node: unique name of this node.
    """

    def __init__(self, objects: Objects, here: LockedClaims, node: str) -> None:
        self._objects = objects
        self._here = here
        self._node = node

    @contextlib.contextmanager
    def hold(self, key: str, owner: str) -> Iterator[bool]:
        """Hold the claim to a stage; yields False if another process has it. A dead process loses it with its lease."""
        with self._here.hold(key, owner) as first_here:
            lease = self._take(key, owner) if first_here else None
            if lease is None:
                yield False
                return
            with lease.kept():
                yield True

    def owner(self, key: str) -> str | None:
        """Return the owner of a claim that a running process holds, or None."""
        found = self._objects.get(_name(key))
        if found is None or self._is_free(key, *found):
            return None
        return str(_said(found[0]).get("owner") or "another process")

    def living(self) -> set[str]:
        """Return the keys of the claims that were renewed in time, by one listing of the bucket."""
        return {each.name.rpartition("/")[2] for each in self._objects.list(PLACE) if not self._is_expired(each)}

    def remove_free(self) -> None:
        """Remove the claims that dead processes left."""
        for each in self._objects.list(PLACE):
            with self.hold(each.name.rpartition("/")[2], "cleanup"):
                pass

    def _take(self, key: str, owner: str) -> _Lease | None:
        lease = _Lease(self._objects, _name(key), {"owner": owner, "node": self._node, "id": uuid.uuid4().hex})
        if lease.create():
            return lease
        found = self._objects.get(_name(key))
        if found is None:
            return lease if lease.create() else None
        dead = _said(found[0]).get("node") == self._node or self._is_expired(found[1])  # no other process here holds it
        return lease if dead and lease.take_over(found[1].tag) else None

    def _is_free(self, key: str, content: bytes, stored: Stored) -> bool:
        dead_here = _said(content).get("node") == self._node and self._here.owner(key) is None
        return dead_here or self._is_expired(stored)

    def _is_expired(self, stored: Stored) -> bool:
        return self._objects.now() - stored.made > timedelta(seconds=LEASE_SECONDS)


class _Lease:
    """A lease object of this process, renewed with new content and so a new tag each time."""

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
                with contextlib.suppress(Unreachable):  # the lease then expires
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
