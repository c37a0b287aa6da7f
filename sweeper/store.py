"""Content-addressed artifacts in a directory.

    objects/<2 digits>/<key>/    an artifact: its files and manifest.json (sizes, SHA-256 sums, provenance, own sum)
    progress/<key>/<number>.*/   saved progress of an unfinished stage, with a manifest of its own
    failures/<key>.json          why a stage could not be done, until it is
    claims/<key>                 whose it is to run the stage, locked by the process that does
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

from sweeper.claims import Claims
from sweeper.errors import SweeperError
from sweeper.failures import Failures

MANIFEST = "manifest.json"
PLACES = ("objects", "progress", "failures", "claims", "tmp")


class Damaged(Exception):
    """The artifact ``key`` is missing or fails its sums; it has been set aside, and its stage must run again."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class Store:
    """Artifacts by key below ``root``. Safe for many readers and writers on one filesystem."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.claims = Claims(self.root / "claims")
        self.failures = Failures(self.root / "failures")

    def prepare(self) -> None:
        """Make the store's directories. Raises SweeperError when the place cannot be written."""
        try:
            for name in PLACES:
                (self.root / name).mkdir(parents=True, exist_ok=True)
            with self.scratch():
                pass
        except OSError as error:
            raise SweeperError(
                f"the store {self.root} cannot be written: {error.strerror}", fix="choose another place with --runs"
            ) from None

    def remove_leftovers(self) -> None:
        """Remove what dead processes left: half written, claimed, or of use no more as the stage is done."""
        for left in (self.root / "tmp").iterdir():
            lock = _locked(left)
            if lock is not None:
                _remove(left)
                os.close(lock)
        self.claims.remove_free()
        for left in [*(self.root / "progress").iterdir(), *(self.root / "failures").iterdir()]:
            key = left.name.partition(".")[0]
            if self.has(key) and not self.claims.owner(key):
                _remove(left)

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
            return _read(self.path(key))
        except (OSError, ValueError):
            self._set_aside(key)
            raise Damaged(key) from None

    def manifests(self, keys: Collection[str]) -> dict[str, dict[str, Any]]:
        """The manifests of those artifacts that are committed, by key; not of one that cannot be read."""
        found = {}
        for key in self.among(keys):
            with contextlib.suppress(OSError, ValueError):
                found[key] = _read(self.path(key))
        return found

    def open(self, key: str) -> Path:
        """The directory of a committed artifact, every file checked against its sum. Raises Damaged."""
        if self.fault(key):
            self._set_aside(key)
            raise Damaged(key)
        return self.path(key)

    def intact(self, key: str, manifest: Mapping[str, Any], name: str) -> bytes | None:
        """One file of an artifact; None where it fails the sum in the artifact's manifest. Sets nothing aside."""
        try:
            content = (self.path(key) / name).read_bytes()
            return content if hashlib.sha256(content).hexdigest() == manifest["files"][name]["sha256"] else None
        except (OSError, KeyError):
            return None

    def commit(self, key: str, written: Path, provenance: Mapping[str, Any]) -> None:
        """Move a directory made by `scratch` into place as the artifact ``key``. The first commit stays."""
        _seal(written, provenance)
        target = self.path(key)
        target.parent.mkdir(exist_ok=True)
        try:
            written.rename(target)
        except OSError:  # an artifact, or what is left of a damaged one
            if not self.has(key):
                self._set_aside(key)
                written.rename(target)
        _remove(self.root / "progress" / key)
        self.failures.forget(key)

    def discard(self, key: str) -> None:
        """Remove an artifact and a recorded failure, so that the stage runs again."""
        self.failures.forget(key)
        self.remove(self.path(key))

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
        if not existing:
            _remove(target.parent)  # whatever it is
        target.parent.mkdir(exist_ok=True)
        written.rename(target)
        for old in existing:
            shutil.rmtree(old, ignore_errors=True)

    def progress(self, key: str) -> Path | None:
        """The newest intact progress of ``key``, or None."""
        for path in reversed(self._progress(key)):
            if _fault(path) is None:
                return path
        return None

    def _progress(self, key: str) -> list[Path]:
        directory = self.root / "progress" / key
        return sorted(path for path in directory.glob("*.*") if path.name.partition(".")[0].isdigit())

    def _set_aside(self, key: str) -> None:
        place = self.root / "damaged"
        place.mkdir(exist_ok=True)
        with contextlib.suppress(OSError):
            self.path(key).rename(place / f"{key}.{uuid.uuid4().hex[:8]}")

    def present(self) -> list[str]:
        """Keys of all artifacts in place, the damaged ones among them."""
        return sorted(path.name for path in (self.root / "objects").glob("*/*"))

    def fault(self, key: str) -> str | None:
        """What is wrong with an artifact; None where every file has its sum. Sets nothing aside."""
        return _fault(self.path(key))

    def unlisted(self, key: str) -> list[str]:
        """Names in an artifact's directory that its manifest does not list."""
        listed = self.manifest(key)["files"].keys() | {MANIFEST}
        return sorted(path.name for path in self.path(key).iterdir() if path.name not in listed)

    def is_held(self, path: Path) -> bool:
        """Whether a living process holds the lock of a file or directory of the store."""
        lock = _locked(path)
        if lock is None:
            return path.exists()
        os.close(lock)
        return False

    def remove(self, path: Path) -> None:
        """Remove a file or directory of the store: out of every reader's sight in one step, then deleted."""
        with self.scratch() as aside, contextlib.suppress(FileNotFoundError):
            path.rename(aside / path.name)


def _seal(directory: Path, provenance: Mapping[str, Any]) -> None:
    files = {path.name: {"size": path.stat().st_size, "sha256": _sha256(path)} for path in sorted(directory.iterdir())}
    manifest = json.loads(json.dumps({"files": files, **provenance}))
    (directory / MANIFEST).write_text(_text(manifest | {"sum": _own_sum(manifest)}))


def _read(directory: Path) -> dict[str, Any]:
    """The manifest in a directory. Raises OSError, and ValueError for one that fails its own sum.

    Those of earlier stores have none.
    """
    manifest = json.loads((directory / MANIFEST).read_text())
    if not isinstance(manifest, dict):
        raise ValueError(directory)
    own_sum = manifest.pop("sum", None)
    if own_sum != _own_sum(manifest) and (own_sum is not None or "stage" not in manifest):
        raise ValueError(directory)
    return manifest


def _own_sum(manifest: Mapping[str, Any]) -> str:
    return hashlib.sha256(_text(manifest).encode()).hexdigest()


def _text(manifest: Mapping[str, Any]) -> str:
    return json.dumps(manifest, indent=1, sort_keys=True)


def _fault(directory: Path) -> str | None:
    try:
        for name, entry in _read(directory)["files"].items():
            path = directory / name
            if not path.is_file():
                return f"{name} is missing"
            if path.stat().st_size != entry["size"]:
                return f"{name} has {path.stat().st_size} bytes instead of {entry['size']}"
            if _sha256(path) != entry["sha256"]:
                return f"{name} has another sum than when it was made"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return f"{MANIFEST} cannot be read"
    return None


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


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
