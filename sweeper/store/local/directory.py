"""A store in a directory: a local disk, or one that all nodes mount at the same path.

    objects/<2 digits>/<key>/    an artifact: its files and manifest.json
    progress/<key>/<number>.*/   saved progress of an unfinished stage
    failures/<key>.json          the last failure of a stage
    claims/<key>                 locked by the process that runs the stage
    damaged/                     quarantined artifacts, whose checksums failed
    tmp/                         directories being written
    locks/                       a file for each directory in tmp, locked by its writer

A directory is written in tmp and renamed into place: a reader sees all of it or nothing.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import shutil
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sweeper.errors import SweeperError, from_here
from sweeper.store.base import LIST_THRESHOLD, Damaged, Entry, File, Place, Store
from sweeper.store.failures import Failures
from sweeper.store.local.claims import LockedClaims
from sweeper.store.local.scratch import Scratch, delete, size
from sweeper.store.manifest import MANIFEST, read, seal, verify

PLACES = ("objects", "progress", "failures", "claims")
WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EBADF, errno.ENOSYS)


class Directory(Store):
    """Artifacts by key below ``root``, on a filesystem with locks."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.place = Place(str(self.root))
        self.claims = LockedClaims(self.root / "claims")
        self.failures = Failures(self)
        self._scratch = Scratch(self.root)

    def prepare(self) -> None:
        try:
            for name in PLACES:
                (self.root / name).mkdir(parents=True, exist_ok=True)
            self._scratch.prepare()
            with self.scratch():
                pass
        except OSError as error:
            if error.errno in WITHOUT_LOCKS:
                fix = "mount it with locks (NFS 4, or NFS 3 without nolock), or choose another directory with --store"
                raise SweeperError(f"the store {self.root} cannot be locked: {error.strerror}", fix=fix) from None
            fix = "choose another directory with --runs or --store"
            raise SweeperError(f"the store {self.root} cannot be written: {error.strerror}", fix=fix) from None

    def warning(self) -> str | None:
        return None

    def check_exists(self) -> None:
        if not self.root.is_dir():
            fix = "run a sweep first, or give its directory with --runs or its store with --store"
            raise SweeperError(f"{from_here(self.root)} does not exist", fix=fix)

    def close(self) -> None:
        """Do nothing: readers use the artifacts in place."""

    def remove_leftovers(self) -> None:
        self._scratch.remove_dead()
        self.claims.remove_free()
        self._remove_done()

    def path(self, key: str) -> Path:
        """Return the directory of an artifact, whether it exists or not."""
        return self.root / "objects" / key[:2] / key

    def has(self, key: str) -> bool:
        return (self.path(key) / MANIFEST).is_file()

    def existing(self, keys: Collection[str]) -> set[str]:
        if len(keys) <= LIST_THRESHOLD:
            return set(filter(self.has, keys))
        listed = (each.name for each in (self.root / "objects").glob("??/*"))
        return {key for key in listed if key in keys and self.has(key)}

    def all_keys(self) -> list[str]:
        return sorted(path.name for path in (self.root / "objects").glob("*/*"))

    def manifest(self, key: str) -> dict[str, Any]:
        try:
            return read(self.path(key))
        except (OSError, ValueError):
            self.quarantine(key)
            raise Damaged(key) from None

    def manifests(self, keys: Collection[str]) -> dict[str, dict[str, Any]]:
        found, there = {}, self.existing(keys)
        for key in filter(there.__contains__, keys):
            with contextlib.suppress(OSError, ValueError):
                found[key] = read(self.path(key))
        return found

    def open(self, key: str) -> Path:
        if self.verify(key):
            self.quarantine(key)
            raise Damaged(key)
        return self.path(key)

    def check(self, keys: Iterable[str]) -> None:
        for key in keys:
            if self.has(key):
                with contextlib.suppress(Damaged):
                    self.open(key)

    def quarantine(self, key: str) -> None:
        place = self.root / "damaged"
        place.mkdir(exist_ok=True)
        with contextlib.suppress(OSError):
            self.path(key).rename(place / f"{key}.{uuid.uuid4().hex[:8]}")

    def read_files(self, files: Iterable[File]) -> Iterator[bytes | None]:
        for key, manifest, name in files:
            try:
                content = (self.path(key) / name).read_bytes()
                whole = hashlib.sha256(content).hexdigest() == manifest["files"][name]["sha256"]
            except (OSError, KeyError):
                whole = False
            yield content if whole else None

    def verify(self, key: str) -> str | None:
        return verify(self.path(key))

    def unlisted(self, key: str) -> list[str]:
        listed = self.manifest(key)["files"].keys() | {MANIFEST}
        return sorted(path.name for path in self.path(key).iterdir() if path.name not in listed)

    def commit(self, key: str, written: Path, provenance: Mapping[str, Any]) -> None:
        seal(written, provenance)
        target = self.path(key)
        target.parent.mkdir(exist_ok=True)
        try:
            written.rename(target)
        except OSError:  # an artifact, or what is left of a damaged one
            if not self.has(key):
                self.quarantine(key)
                written.rename(target)
        delete(self.root / "progress" / key)
        self.failures.forget(key)

    def discard(self, key: str) -> None:
        self.failures.forget(key)
        self.remove(str(self.path(key).relative_to(self.root)))

    def scratch(self) -> contextlib.AbstractContextManager[Path]:
        return self._scratch.new()

    def save_progress(self, key: str, written: Path) -> None:
        seal(written, {})
        existing = self._progress(key)
        number = int(existing[-1].name.partition(".")[0]) + 1 if existing else 0
        target = self.root / "progress" / key / f"{number:08d}.{uuid.uuid4().hex[:8]}"
        if not existing:
            delete(target.parent)  # whatever it is
        target.parent.mkdir(exist_ok=True)
        written.rename(target)
        for old in existing:
            shutil.rmtree(old, ignore_errors=True)

    def progress(self, key: str) -> Path | None:
        return next((path for path in reversed(self._progress(key)) if verify(path) is None), None)

    def latest_progress(self, key: str) -> str | None:
        newest = self.progress(key)
        return newest.name if newest else None

    def entries(self, place: str) -> Iterator[Entry]:
        directory = self.root / place
        held = self._scratch.held() if place == "tmp" else self.claims.living() if place == "claims" else ()
        for path in sorted(directory.glob("*/*" if place == "objects" else "*")):
            if path.name in held:
                continue
            with contextlib.suppress(FileNotFoundError):
                made = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                name = str(path.relative_to(self.root))
                yield Entry(name, size(path), made, path.name.partition(".")[0])

    def remove(self, name: str) -> None:
        with self.scratch() as aside, contextlib.suppress(FileNotFoundError):
            (self.root / name).rename(aside / "removed")

    def being_written(self) -> int:
        return sum(size(self.root / "tmp" / name) for name in self._scratch.held())

    def free_bytes(self) -> int | None:
        return shutil.disk_usage(next(each for each in (self.root, *self.root.parents) if each.exists())).free

    def read(self, name: str) -> bytes | None:
        try:
            return (self.root / name).read_bytes()
        except OSError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Write a small file atomically, replacing an existing one."""
        aside = (self.root / name).with_suffix(".new")
        aside.write_bytes(content)
        aside.replace(self.root / name)

    def delete(self, name: str) -> None:
        """Delete a small file, if it exists."""
        (self.root / name).unlink(missing_ok=True)

    def notes(self, place: str) -> dict[str, bytes]:
        """Return all readable small files of a part of the store, by name."""
        found = {path.name: self.read(f"{place}/{path.name}") for path in (self.root / place).glob("*")}
        return {name: content for name, content in found.items() if content is not None}

    @contextlib.contextmanager
    def beacon(self) -> Iterator[str]:
        with self.scratch() as directory:
            (directory / "beacon").write_text(uuid.uuid4().hex)
            yield str((directory / "beacon").relative_to(self.root))

    def check_usable(self, beacon: str) -> str | None:
        try:
            if Path(beacon).parent.name not in self._scratch.held():
                return f"a lock that another process holds on {self.root} is not visible here"
            with self.scratch() as directory:
                (directory / "new").write_text("whole")
                (directory / "new").rename(directory / "file")
                if (directory / "file").read_text() != "whole":
                    return f"the store {self.root} returns different bytes than were written"
        except OSError as error:
            return f"the store {self.root} cannot be written: {error.strerror}"
        return None

    def _progress(self, key: str) -> list[Path]:
        directory = self.root / "progress" / key
        return sorted(path for path in directory.glob("*.*") if path.name.partition(".")[0].isdigit())
