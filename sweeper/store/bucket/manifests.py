"""Manifests in a bucket: one object per artifact, whose creation is the commit."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Collection, Mapping
from typing import Any

from sweeper.store.base import LIST_THRESHOLD
from sweeper.store.bucket.objects import Objects, Stored
from sweeper.store.manifest import MANIFEST, parse
from sweeper.store.parallel import all_at_once

PLACE = "manifests"


def object_of(key: str) -> str:
    """Return the object name of an artifact's manifest."""
    return f"{PLACE}/{key}.json"


def key_of(name: str) -> str:
    """Return the key of a manifest's object name; the inverse of `object_of`."""
    return name.rpartition("/")[2].removesuffix(".json")


def files_of(key: str, manifest: Mapping[str, Any]) -> str:
    """Return the prefix of an artifact's files, which is unique to one attempt to make it."""
    return f"files/{key}/{manifest['attempt']}"


class Manifests:
    """Manifests by key, cached by the tags of their objects."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._known: dict[str, tuple[str, dict[str, Any]]] = {}
        """Manifests already read, with the tags of their objects."""

    def has(self, key: str) -> bool:
        """Check whether an artifact has a manifest."""
        return self._objects.head(object_of(key)) is not None

    def listed(self) -> dict[str, Stored]:
        """List the objects of all manifests by key."""
        return {key_of(each.name): each for each in self._objects.list(PLACE)}

    def existing(self, keys: Collection[str]) -> set[str]:
        """Return the subset of keys that have a manifest."""
        if len(keys) > LIST_THRESHOLD:
            return set(keys) & self.listed().keys()
        return {key for key, there in zip(keys, all_at_once(self.has, keys), strict=True) if there}

    def read(self, key: str) -> dict[str, Any] | None:
        """Return the manifest of an artifact, or None if it has none. Raises ValueError if it is invalid."""
        found = self._objects.get(object_of(key))
        if found is None:
            return None
        self._known[key] = found[1].tag, parse(found[0])
        return self._known[key][1]

    def many(self, keys: Collection[str]) -> dict[str, dict[str, Any]]:
        """Return the existing, valid manifests of some keys, by key."""
        listed = self.listed() if len(keys) > LIST_THRESHOLD else None
        asked = [key for key in keys if listed is None or key in listed]

        def read(key: str) -> dict[str, Any] | None:
            if listed and key in self._known and self._known[key][0] == listed[key].tag:
                return self._known[key][1]
            with contextlib.suppress(ValueError):
                return self.read(key)
            return None

        found = zip(asked, all_at_once(read, asked), strict=True)
        return {key: manifest for key, manifest in found if manifest is not None}

    def commit(self, key: str, content: bytes) -> bool:
        """Write a manifest, unless the key has a valid one, and return whether it did. Quarantines an invalid one."""
        if self._objects.create(object_of(key), content):
            return True
        with contextlib.suppress(ValueError):
            if self.read(key):
                return False
        self.quarantine(key)
        return self._objects.create(object_of(key), content) is not None

    def quarantine(self, key: str) -> None:
        """Move a manifest to the damaged ones."""
        if found := self._objects.get(object_of(key)):
            self._objects.put(f"damaged/{key}.{uuid.uuid4().hex[:8]}/{MANIFEST}", found[0])
            self._objects.delete([object_of(key)])
