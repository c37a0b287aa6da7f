"""A store in a bucket, with a cache of copies on every node.

    manifests/<key>.json                  the manifest of an artifact, which names its attempt: creating it commits
    files/<key>/<attempt>/                its files; without a manifest, they are being uploaded or were left behind
    progress/<key>/<number>.*/            saved progress of an unfinished stage, its manifest written last
    failures/<key>.json                   the last failure of a stage
    claims/<key>                          the lease of the process that runs the stage
    damaged/<key>.*/manifest.json         quarantined manifests of artifacts whose checksums failed

Objects in a bucket cannot be renamed. A manifest is created only if absent, after the files of its own attempt: a
reader sees a complete artifact or none, and the first commit wins.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from sweeper.store.base import Damaged, Entry, File, Place, Store, Unreachable
from sweeper.store.bucket import progress as saved
from sweeper.store.bucket.cache import Cache
from sweeper.store.bucket.leases import Leases
from sweeper.store.bucket.manifests import Manifests, files_of, key_of, object_of
from sweeper.store.bucket.objects import Stored, grouped, objects_at, probe
from sweeper.store.bucket.transfer import TRIES, Faulty, check, download, upload
from sweeper.store.failures import Failures
from sweeper.store.local.claims import LockedClaims
from sweeper.store.manifest import MANIFEST, UNPARSABLE, UNREADABLE, seal
from sweeper.store.parallel import all_at_once


class Bucket(Store):
    """Artifacts by key below a URL such as ``s3://bucket/prefix``."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._objects = objects_at(place.address)
        self._manifests = Manifests(self._objects)
        self._cache = Cache(_cache_directory(place), place.cache_bytes)
        self._cache.prepare()
        here = LockedClaims(self._cache.root / "claims")
        self._leases = Leases(self._objects, here, _node(self._cache.root / "node"))
        self.claims = self._leases
        self.failures = Failures(self)
        self._given = ExitStack()

    def prepare(self) -> None:
        _ = self._objects.conditional

    def warning(self) -> str | None:
        if self._objects.conditional:
            return None
        return (
            f"{self.place.address} does not support conditional put: a stage may run twice, and its artifact be "
            "replaced by an equal one; results remain correct"
        )

    def check_exists(self) -> None:
        self._objects.list("claims")

    def close(self) -> None:
        self._given.close()

    def remove_leftovers(self) -> None:
        self._cache.scratch.remove_dead()
        self._objects.delete_old_probes()
        self.claims.remove_free()
        self._remove_done()

    def has(self, key: str) -> bool:
        return self._manifests.has(key)

    def existing(self, keys: Collection[str]) -> set[str]:
        return self._manifests.existing(keys)

    def all_keys(self) -> list[str]:
        return sorted(self._manifests.listed())

    def manifest(self, key: str) -> dict[str, Any]:
        try:
            if found := self._manifests.read(key):
                return found
        except ValueError:
            self.quarantine(key)
        raise Damaged(key)

    def manifests(self, keys: Collection[str]) -> dict[str, dict[str, Any]]:
        return self._manifests.many(keys)

    def open(self, key: str) -> Path:
        return self._given.enter_context(self._copy(key))

    def check(self, keys: Iterable[str]) -> None:
        def check(key: str) -> None:
            with contextlib.suppress(Damaged), self._copy(key):
                pass

        list(all_at_once(check, self.existing({*keys})))

    def quarantine(self, key: str) -> None:
        self._manifests.quarantine(key)

    def read_files(self, files: Iterable[File]) -> Iterator[bytes | None]:
        return all_at_once(lambda file: self._content(*file), files)

    def verify(self, key: str) -> str | None:
        try:
            manifest = self._manifests.read(key) or {}
            check(self._objects, files_of(key, manifest), manifest)
        except Faulty as faulty:
            return str(faulty)
        except UNPARSABLE:
            return UNREADABLE
        return None

    def unlisted(self, key: str) -> list[str]:
        manifest = self.manifest(key)
        there = (each.name.rpartition("/")[2] for each in self._objects.list(files_of(key, manifest)))
        return [name for name in there if name not in manifest["files"]]

    def commit(self, key: str, written: Path, provenance: Mapping[str, Any]) -> None:
        manifest = seal(written, {**provenance, "attempt": uuid.uuid4().hex[:12]})
        upload(self._objects, written, files_of(key, manifest))
        if self._manifests.commit(key, (written / MANIFEST).read_bytes()):
            self._cache.adopt(_copy_name(key, manifest), written)
        else:
            self._delete_below(files_of(key, manifest))
        self._delete_below(f"progress/{key}")
        self.failures.forget(key)

    def discard(self, key: str) -> None:
        self.failures.forget(key)
        self.remove(object_of(key))

    def scratch(self) -> AbstractContextManager[Path]:
        return self._cache.scratch.new()

    def save_progress(self, key: str, written: Path) -> None:
        saved.save(self._objects, key, written)

    def progress(self, key: str) -> Path | None:
        if self.latest_progress(key) is None:
            return None
        directory = self._given.enter_context(self.scratch())
        return directory if saved.fetch_newest(self._objects, key, directory) else None

    def latest_progress(self, key: str) -> str | None:
        return saved.newest(self._objects, key)

    def entries(self, place: str) -> Iterator[Entry]:
        if place == "objects":
            return self._artifacts()
        living = self._leases.living() if place in ("tmp", "claims") else ()
        if place == "tmp":
            return (each for each in self._attempts() if each.key not in living)
        found = (_entry(name, stored) for name, stored in grouped(self._objects.list(place), 2).items())
        return (each for each in found if each.key not in living)

    def remove(self, name: str) -> None:
        manifest = None
        if name == object_of(key_of(name)):
            with contextlib.suppress(ValueError):
                manifest = self._manifests.read(key_of(name))
        self._objects.delete([name])
        self._delete_below(name)
        if manifest:
            self._delete_below(files_of(key_of(name), manifest))

    def being_written(self) -> int:
        living = self._leases.living()
        return sum(each.bytes for each in self._attempts() if each.key in living)

    def free_bytes(self) -> int | None:
        return None

    def read(self, name: str) -> bytes | None:
        found = self._objects.get(name)
        return found[0] if found else None

    def write(self, name: str, content: bytes) -> None:
        """Write a small object, replacing an existing one."""
        self._objects.put(name, content)

    def delete(self, name: str) -> None:
        """Delete an object, if it exists."""
        self._objects.delete([name])

    def notes(self, place: str) -> dict[str, bytes]:
        """Return all small objects of a part of the store, by name."""
        names = [each.name for each in self._objects.list(place)]
        found = zip(names, all_at_once(self.read, names), strict=True)
        return {name.partition("/")[2]: content for name, content in found if content is not None}

    @contextlib.contextmanager
    def beacon(self) -> Iterator[str]:
        name = probe()
        self.write(name, name.encode())
        try:
            yield name
        finally:
            self.delete(name)

    def check_usable(self, beacon: str) -> str | None:
        try:
            with self.beacon() as name:
                whole = self.read(name) == name.encode()
        except Unreachable as error:
            return error.message
        return None if whole else f"the store {self.place.address} returns different bytes than were written"

    @contextlib.contextmanager
    def _copy(self, key: str) -> Iterator[Path]:
        """Yield the node's copy of an artifact while it is in use. Raises Damaged if its checksums fail."""
        manifest = self.manifest(key)
        fetch = partial(download, self._objects, files_of(key, manifest), manifest)
        with ExitStack() as stack:
            try:
                path = stack.enter_context(self._cache.using(_copy_name(key, manifest), fetch))
            except Faulty:
                self.quarantine(key)
                raise Damaged(key) from None
            yield path

    def _content(self, key: str, manifest: Mapping[str, Any], name: str) -> bytes | None:
        """Return a verified file from the node's copy or, with retries, from the bucket; None if that fails."""
        wanted = manifest.get("files", {}).get(name)
        if wanted is None:
            return None
        place = f"{files_of(key, manifest)}/{name}"
        ways = [partial(self._cache.file, _copy_name(key, manifest), name), *[partial(self.read, place)] * TRIES]
        for way in ways:
            content = way()
            if content is not None and hashlib.sha256(content).hexdigest() == wanted["sha256"]:
                return content
        return None

    def _artifacts(self) -> Iterator[Entry]:
        listed = self._manifests.listed()
        manifests = self._manifests.many(listed)
        for key, each in sorted(listed.items()):
            yield Entry(each.name, each.bytes + _bytes(manifests.get(key, {})), each.made, key)

    def _attempts(self) -> Iterator[Entry]:
        """Yield uploads without a manifest, of running processes and of dead ones."""
        uploaded = grouped(self._objects.list("files"), 3)
        manifests = self._manifests.many(
            {name.split("/")[1] for name in uploaded}
        )  # read after the listing, to see recent commits
        named = {files_of(key, manifest) for key, manifest in manifests.items()}
        yield from (_entry(name, stored) for name, stored in uploaded.items() if name not in named)

    def _delete_below(self, place: str) -> None:
        self._objects.delete(each.name for each in self._objects.list(place))


def _bytes(manifest: Mapping[str, Any]) -> int:
    return sum(each["size"] for each in manifest.get("files", {}).values())


def _copy_name(key: str, manifest: Mapping[str, Any]) -> str:
    return f"{key}.{manifest['attempt']}"


def _entry(name: str, stored: Sequence[Stored]) -> Entry:
    key = name.split("/")[1].partition(".")[0]
    return Entry(name, sum(each.bytes for each in stored), max(each.made for each in stored), key)


def _cache_directory(place: Place) -> Path:
    if place.cache:
        return Path(place.cache).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sweeper"


def _node(path: Path) -> str:
    """Return a name of this node that is unique even among nodes that share its cache."""
    aside = path.with_name(uuid.uuid4().hex)
    aside.write_text(aside.name)
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(aside)
    aside.unlink()
    return f"{path.read_text()} {platform.node()}"
