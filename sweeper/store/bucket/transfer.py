"""Stream files between a directory and a bucket, verifying each against the checksum in its manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sweeper.store.bucket.objects import Objects
from sweeper.store.manifest import MANIFEST, write, wrong_size, wrong_sum

TRIES = 3
"""Downloads of a file before a checksum failure is taken for damage in the bucket."""


class Faulty(Exception):
    """A file in the bucket does not match its manifest; the message describes how."""


def upload(objects: Objects, directory: Path, place: str) -> None:
    """Upload all files of a directory except its manifest below a prefix of the bucket."""
    for path in sorted(directory.iterdir()):
        if path.name != MANIFEST:
            objects.upload(f"{place}/{path.name}", path)


def download(objects: Objects, place: str, manifest: Mapping[str, Any], directory: Path) -> None:
    """Download the files of a manifest, and write it, into a directory. Raises Faulty if one does not match."""
    for name, entry in manifest["files"].items():
        _insist(lambda name=name, entry=entry: _fetch(objects, place, name, entry, directory))  # type: ignore[misc]
    write(directory, manifest)


def check(objects: Objects, place: str, manifest: Mapping[str, Any]) -> None:
    """Download every file of a manifest only to verify it. Raises Faulty if one does not match."""
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
    """Retry, since the network may have cut or changed a file that is intact in the bucket."""
    for left in reversed(range(TRIES)):
        try:
            return attempt()
        except Faulty:
            if not left:
                raise
