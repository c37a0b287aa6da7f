"""Content-addressed artifacts in a directory.

    objects/<2 digits>/<key>/    an artifact: its files and manifest.json (sizes, SHA-256 sums, provenance)
    progress/<key>/<number>.*/   saved progress of an unfinished stage, with a manifest of its own
    damaged/                     what failed its sums, set aside
    tmp/                         what is being written, each directory locked by its writer

A directory is written aside and renamed into place: a reader sees all of it or nothing. Sums are checked
whenever an artifact is opened, so that a result never rests on damaged bytes.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from sweeper.errors import SweeperError

MANIFEST = "manifest.json"


class Damaged(Exception):
    """The artifact ``key`` is missing or fails its sums; it has been set aside, and its stage must run again."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class Store:
    """Artifacts by key below ``root``. Safe for many readers and writers on one filesystem."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def prepare(self) -> None:
        """Make the store's directories. Raises SweeperError when the place cannot be written."""
        try:
            for name in ("objects", "progress", "tmp"):
                (self.root / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SweeperError(
                f"the store {self.root} cannot be written: {error.strerror}", fix="choose another place with --runs"
            ) from None

    def remove_leftovers(self) -> None:
        """Remove what dead writers left half written."""
        for left in (self.root / "tmp").iterdir():
            lock = _locked(left)
            if lock is not None:
                shutil.rmtree(left, ignore_errors=True)
                os.close(lock)

    def path(self, key: str) -> Path:
        """Where the artifact lies, or would lie."""
        return self.root / "objects" / key[:2] / key

    def has(self, key: str) -> bool:
        """Whether the artifact is committed."""
        return (self.path(key) / MANIFEST).is_file()

    def among(self, keys: Collection[str]) -> set[str]:
        """Those of many keys whose artifacts are committed: the store is listed, not asked for every key."""
        listed = (each.name for each in (self.root / "objects").glob("??/*"))
        return {key for key in listed if key in keys and self.has(key)}

    def manifest(self, key: str) -> dict[str, Any]:
        """The manifest of a committed artifact. Raises Damaged."""
        try:
            manifest: dict[str, Any] = json.loads((self.path(key) / MANIFEST).read_text())
        except (OSError, ValueError):
            self._set_aside(key)
            raise Damaged(key) from None
        return manifest

    def manifests(self, keys: Collection[str]) -> dict[str, dict[str, Any]]:
        """The manifests of those artifacts that are committed, by key."""
        found, there = {}, self.among(keys)
        for key in keys:
            if key in there:
                with contextlib.suppress(Damaged):
                    found[key] = self.manifest(key)
        return found

    def open(self, key: str) -> Path:
        """The directory of a committed artifact, every file checked against its sum. Raises Damaged."""
        manifest = self.manifest(key)
        if not _intact(self.path(key), manifest):
            self._set_aside(key)
            raise Damaged(key)
        return self.path(key)

    def commit(self, key: str, written: Path, provenance: Mapping[str, Any]) -> None:
        """Move a directory made by `scratch` into place as the artifact ``key``. The first commit stays."""
        _seal(written, provenance)
        target = self.path(key)
        target.parent.mkdir(exist_ok=True)
        try:
            written.rename(target)
        except OSError:
            if not self.has(key):
                raise
        shutil.rmtree(self.root / "progress" / key, ignore_errors=True)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """An empty directory on the store's filesystem, removed afterwards unless it was moved into place."""
        path, lock = self.root / "tmp" / uuid.uuid4().hex, None
        while lock is None or not path.exists():  # it may be taken for a dead writer's until it is locked
            path.mkdir(parents=True, exist_ok=True)
            lock = _locked(path)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)

    def save_progress(self, key: str, written: Path) -> None:
        """Move a directory made by `scratch` into place as the newest progress of ``key``."""
        _seal(written, {})
        existing = self._progress(key)
        number = int(existing[-1].name.partition(".")[0]) + 1 if existing else 0
        target = self.root / "progress" / key / f"{number:08d}.{uuid.uuid4().hex[:8]}"
        target.parent.mkdir(exist_ok=True)
        written.rename(target)
        for old in existing:
            shutil.rmtree(old, ignore_errors=True)

    def progress(self, key: str) -> Path | None:
        """The newest intact progress of ``key``, or None."""
        for path in reversed(self._progress(key)):
            with contextlib.suppress(OSError, ValueError):
                if _intact(path, json.loads((path / MANIFEST).read_text())):
                    return path
        return None

    def _progress(self, key: str) -> list[Path]:
        directory = self.root / "progress" / key
        return sorted(directory.iterdir()) if directory.is_dir() else []

    def _set_aside(self, key: str) -> None:
        place = self.root / "damaged"
        place.mkdir(exist_ok=True)
        with contextlib.suppress(OSError):
            self.path(key).rename(place / f"{key}.{uuid.uuid4().hex[:8]}")


def _seal(directory: Path, provenance: Mapping[str, Any]) -> None:
    files = {path.name: {"size": path.stat().st_size, "sha256": _sha256(path)} for path in sorted(directory.iterdir())}
    manifest = json.dumps({"files": files, **provenance}, indent=1, sort_keys=True)
    (directory / MANIFEST).write_text(manifest)


def _intact(directory: Path, manifest: Mapping[str, Any]) -> bool:
    try:
        return all(
            (directory / name).stat().st_size == entry["size"] and _sha256(directory / name) == entry["sha256"]
            for name, entry in manifest["files"].items()
        )
    except (OSError, KeyError, TypeError, AttributeError):
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _locked(directory: Path) -> int | None:
    """A descriptor that holds the directory's lock for as long as this process lives; None if another holds it."""
    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
