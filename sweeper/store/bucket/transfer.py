"""Files between a directory and a bucket, streamed, with every one checked against the sum in its manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sweeper.store.bucket.objects import Objects
from sweeper.store.manifest import MANIFEST, write, wrong_size, wrong_sum

TRIES = 3
"""How often a file is fetched until its bytes are taken for those in the bucket."""


class Faulty(Exception):
    """A file in the bucket is not what its manifest says; the message says how."""


def upload(objects: Objects, directory: Path, place: str) -> None:
    """Write all files of a directory but its manifest below a place of the bucket."""
    for path in sorted(directory.iterdir()):
        if path.name != MANIFEST:
            objects.upload(f"{place}/{path.name}", path)


def download(objects: Objects, place: str, manifest: Mapping[str, Any], directory: Path) -> None:
    """Write the files of a manifest, and it, into a directory. Raises Faulty."""
    for name, entry in manifest["files"].items():
        _insist(lambda name=name, entry=entry: _fetch(objects, place, name, entry, directory))  # type: ignore[misc]
    write(directory, manifest)


def check(objects: Objects, place: str, manifest: Mapping[str, Any]) -> None:
    """Fetch every file of a manifest for its sum alone. Raises Faulty."""
    for name, entry in manifest["files"].items():
        _insist(lambda name=name, entry=entry: _stream(objects, place, name, entry, lambda part: None))  # type: ignore[misc]


def _fetch(objects: Objects, place: str, name: str, entry: Mapping[str, Any], directory: Path) -> None:
    with (directory / name).open("wb") as file:
        _stream(objects, place, name, entry, file.write)


def _stream(objects: Objects, place: str, name: str, entry: Mapping[str, Any], sink: Callable[[bytes], object]) -> None:
    digest, size = hashlib.sha256(), 0
    stored = objects.head(f"{place}/{name}")
    if stored is None:
        raise Faulty(f"{name} is missing")
    if stored.bytes != entry["size"]:
        raise Faulty(wrong_size(name, stored.bytes, entry["size"]))
    for part in objects.parts(f"{place}/{name}", stored.bytes):
        digest.update(part)
        size += len(part)
        sink(part)
    if size != entry["size"]:
        raise Faulty(wrong_size(name, size, entry["size"]))
    if digest.hexdigest() != entry["sha256"]:
        raise Faulty(wrong_sum(name))


def _insist(attempt: Callable[[], None]) -> None:
    """The network may have cut or changed what is whole in the bucket."""
    for left in reversed(range(TRIES)):
        try:
            return attempt()
        except Faulty:
            if not left:
                raise
