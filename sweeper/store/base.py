"""The interface of a store of content-addressed artifacts.

    objects      artifacts by key: their files and a manifest (sizes, SHA-256 checksums, provenance, own checksum)
    progress     saved progress of unfinished stages, with manifests of their own
    failures     the last failure of a stage, until it succeeds
    claims       the process that may run a stage
    damaged      quarantined artifacts, whose checksums failed
    tmp          artifacts being written

Artifacts appear atomically, and the first commit of a key wins. Checksums are verified whenever an artifact is opened,
so that no result depends on damaged bytes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from sweeper.errors import SweeperError
from sweeper.store.failures import Failures

CURVE = "curve.json"
"""The file of an artifact with the values that its stage logged by step."""
CACHE_BYTES = 20 * 2**30
LIST_THRESHOLD = 50
"""Keys that are looked up one by one at most; for more the store is listed."""
File = tuple[str, Mapping[str, Any], str]
"""The key of an artifact, its manifest, and the name of one of its files."""


class Damaged(Exception):
    """The artifact ``key`` is missing or fails its checksums; it was quarantined, and its stage must run again."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class Unreachable(SweeperError, OSError):
    """The store does not respond, or denies access. Its artifacts are safe; the same command resumes later."""


@dataclass(frozen=True)
class Place:
    """The address of a store, and of a node's cache of copies of its artifacts."""

    address: str
    """A directory, or the URL of a bucket with a prefix."""
    cache: str | None = None
    """Directory for the cache on every node; by default the user's cache directory there. Used for buckets only."""
    cache_bytes: int = CACHE_BYTES
    """Size limit of the cache on a node."""


@dataclass(frozen=True)
class Entry:
    """An item of a store that can be removed as a whole."""

    name: str
    """Its path in the store."""
    bytes: int
    made: datetime
    key: str
    """Key of the stage that it belongs to."""


class Claims(Protocol):
    """Claims: which process may run a stage."""

    def hold(self, key: str, owner: str) -> AbstractContextManager[bool]:
        """Hold the claim to a stage; yields False if a running process has it. The claim of a dead owner is free."""

    def owner(self, key: str) -> str | None:
        """Return the owner of a claim that a running process holds, or None."""

    def living(self) -> set[str]:
        """Return the keys of all claims that running processes hold."""

    def remove_free(self) -> None:
        """Remove the claims that dead processes left."""


class Store(ABC):
    """A store of artifacts by key, safe for many readers and writers. Stores on a network raise Unreachable."""

    place: Place
    claims: Claims
    failures: Failures

    @abstractmethod
    def prepare(self) -> None:
        """Prepare the store for writing. Raises SweeperError if it cannot be written."""

    @abstractmethod
    def warning(self) -> str | None:
        """Return a warning to print before a run, or None."""

    @abstractmethod
    def check_exists(self) -> None:
        """Check that the store exists. Raises SweeperError if not."""

    @abstractmethod
    def close(self) -> None:
        """Release the directories that `open` and `progress` returned."""

    @abstractmethod
    def remove_leftovers(self) -> None:
        """Remove what dead processes left: partial writes, claims, and progress and failures of finished stages."""

    @abstractmethod
    def has(self, key: str) -> bool:
        """Check whether the artifact is committed."""

    @abstractmethod
    def existing(self, keys: Collection[str]) -> set[str]:
        """Return the subset of keys whose artifacts are committed."""

    @abstractmethod
    def all_keys(self) -> list[str]:
        """Return the keys of all artifacts, sorted, including damaged ones that are not yet quarantined."""

    @abstractmethod
    def manifest(self, key: str) -> dict[str, Any]:
        """Return the manifest of a committed artifact. Raises Damaged if it is missing or cannot be read."""

    @abstractmethod
    def manifests(self, keys: Collection[str]) -> dict[str, dict[str, Any]]:
        """Return the manifests of committed artifacts by key, in order, without those that cannot be read."""

    @abstractmethod
    def open(self, key: str) -> Path:
        """Return a directory with the verified files of a committed artifact. Raises Damaged if a checksum fails."""

    @abstractmethod
    def check(self, keys: Iterable[str]) -> None:
        """Quarantine those of the committed artifacts that fail their checksums."""

    @abstractmethod
    def quarantine(self, key: str) -> None:
        """Move a damaged artifact away, so that its stage runs again."""

    @abstractmethod
    def read_files(self, files: Iterable[File]) -> Iterator[bytes | None]:
        """Yield files of artifacts in order; None for one that fails its checksum. Quarantines nothing."""

    @abstractmethod
    def verify(self, key: str) -> str | None:
        """Return a description of the fault of an artifact; None if all checksums match. Quarantines nothing."""

    @abstractmethod
    def unlisted(self, key: str) -> list[str]:
        """Return the names of an artifact's files that its manifest does not list."""

    @abstractmethod
    def commit(self, key: str, written: Path, provenance: Mapping[str, Any]) -> None:
        """Make a directory of `scratch` the artifact ``key``, atomically. The first commit wins."""

    @abstractmethod
    def discard(self, key: str) -> None:
        """Remove an artifact and a recorded failure, so that the stage runs again."""

    @abstractmethod
    def scratch(self) -> AbstractContextManager[Path]:
        """Create an empty directory to write in, removed afterwards unless it was committed or saved."""

    @abstractmethod
    def save_progress(self, key: str, written: Path) -> None:
        """Make a directory of `scratch` the newest progress of ``key``, atomically."""

    @abstractmethod
    def progress(self, key: str) -> Path | None:
        """Return a directory with the newest intact progress of ``key``, or None."""

    @abstractmethod
    def latest_progress(self, key: str) -> str | None:
        """Return the name of the newest saved progress of ``key``, which differs for every save; or None."""

    @abstractmethod
    def entries(self, place: str) -> Iterator[Entry]:
        """Yield the items of a part of the store, such as ``progress``, by name; of ``tmp`` only those left behind."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove an item of the store: it disappears atomically, and is then deleted."""

    @abstractmethod
    def being_written(self) -> int:
        """Return the bytes that running processes are writing, as far as known."""

    @abstractmethod
    def free_bytes(self) -> int | None:
        """Return the number of free bytes; None if unlimited."""

    @abstractmethod
    def read(self, name: str) -> bytes | None:
        """Return the content of a small file by its path in the store; None if it is missing or cannot be read."""

    @abstractmethod
    def beacon(self) -> AbstractContextManager[str]:
        """Write a file for `check_usable` on another machine, and yield its path in the store."""

    @abstractmethod
    def check_usable(self, beacon: str) -> str | None:
        """Return why the store cannot be used from here; None if it can.

        Args:
            beacon: path in the store of a file that another process wrote and holds, see `beacon`.
        """

    def read_verified(self, key: str, manifest: Mapping[str, Any], name: str) -> bytes | None:
        """Return one file of an artifact; None if it fails its checksum. Quarantines nothing."""
        return next(iter(self.read_files([(key, manifest, name)])))

    def _remove_done(self) -> None:
        """Remove the progress and failures of finished stages."""
        left = [*self.entries("progress"), *self.entries("failures")]
        done = self.existing({each.key for each in left}) if left else set()
        for each in left:
            if each.key in done and not self.claims.owner(each.key):
                self.remove(each.name)
