"""Saved progress in a bucket: the files, then their manifest, so that progress without a manifest is incomplete."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterable
from pathlib import Path

from sweeper.store.bucket.objects import Objects, Stored, grouped
from sweeper.store.bucket.transfer import Faulty, download, upload
from sweeper.store.manifest import MANIFEST, UNPARSABLE, parse, seal

PLACE = "progress"


def save(objects: Objects, key: str, written: Path) -> None:
    """Write a directory as the newest progress of a stage, and delete older ones."""
    seal(written, {})
    existing = _saved(objects, key)
    number = 1 + max((int(name.partition(".")[0]) for name in existing), default=-1)
    place = f"{PLACE}/{key}/{number:08d}.{uuid.uuid4().hex[:8]}"
    upload(objects, written, place)
    objects.put(f"{place}/{MANIFEST}", (written / MANIFEST).read_bytes())
    objects.delete(each.name for stored in existing.values() for each in stored)


def fetch_newest(objects: Objects, key: str, directory: Path) -> bool:
    """Download the newest intact progress into a directory, and return whether there is any."""
    for name, stored in sorted(_saved(objects, key).items(), reverse=True):
        place = f"{PLACE}/{key}/{name}"
        if _is_complete(stored) and (manifest := objects.get(f"{place}/{MANIFEST}")):
            with contextlib.suppress(Faulty, *UNPARSABLE):
                download(objects, place, parse(manifest[0]), directory)
                return True
    return False


def newest(objects: Objects, key: str) -> str | None:
    """Return the name of the newest complete progress, or None."""
    return max((name for name, stored in _saved(objects, key).items() if _is_complete(stored)), default=None)


def _saved(objects: Objects, key: str) -> dict[str, list[Stored]]:
    """Return the objects of every saved progress by its name."""
    found = {name.rpartition("/")[2]: stored for name, stored in grouped(objects.list(f"{PLACE}/{key}"), 3).items()}
    return {name: stored for name, stored in found.items() if name.partition(".")[0].isdigit()}


def _is_complete(saved: Iterable[Stored]) -> bool:
    return any(each.name.endswith(f"/{MANIFEST}") for each in saved)
