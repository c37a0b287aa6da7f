"""Content-addressed artifacts: what a store offers, wherever its artifacts lie.

    objects      artifacts by key: their files and a manifest (sizes, SHA-256 sums, provenance, own sum)
    progress     saved progress of unfinished stages, with manifests of their own
    failures     why a stage could not be done, until it is
    claims       whose it is to run a stage
    damaged      what failed its sums, set aside
    tmp          what is being written

An artifact is there as a whole or not at all, and the first one of a key stays. Sums are checked whenever an artifact
is opened, so that a result never rests on damaged bytes.
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
"""The file of an artifact that holds what its stage logged by step."""
CACHE_BYTES = 20 * 2**30
LIST_THRESHOLD = 50
"""So many keys are asked for one by one; for more of them the store is listed."""
File = tuple[str, Mapping[str, Any], str]
"""Key of an artifact, its manifest, and the name of one of its files."""


class Damaged(Exception):
    """The artifact ``key`` is missing or fails its sums; it has been set aside, and its stage must run again."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class Unreachable(SweeperError, OSError):
    """The store does not answer, or refuses. What it holds is safe; the same command goes on when it answers."""


@dataclass(frozen=True)
class Place:
    """Where a store is, and where a node keeps copies of what lies far away."""

    address: str
    """A directory, or the URL of a bucket with a prefix."""
    cache: str | None = None
    """Directory on every node for copies; by default the user's cache directory there. Only a bucket needs it."""
    cache_bytes: int = CACHE_BYTES
    """What the copies may take on a node."""


@dataclass(frozen=True)
class Entry:
    """Something in a store that can be removed as a whole."""

    name: str
    """Its path in the store."""
    bytes: int
    made: datetime
    key: str
    """Of the stage that it belongs to."""


class Claims(Protocol):
    """Whose it is to run a stage."""

    def hold(self, key: str, owner: str) -> AbstractContextManager[bool]:
        """Hold the claim to a stage; False where a living process has it. A dead owner's claim becomes free."""

    def owner(self, key: str) -> str | None:
        """Who lives and holds the claim, or None."""

    def living(self) -> set[str]:
        """Keys of all claims that are held."""

    def remove_free(self) -> None:
        """Remove the claims that dead processes left."""


class Store(ABC):
    """Artifacts by key. Safe for many readers and writers; what is reached over a network raises Unreachable."""

    place: Place
    claims: Claims
    failures: Failures

    @abstractmethod
    def prepare(self) -> None:
        """Make sure that it can be written. Raises SweeperError."""

    @abstractmethod
    def warning(self) -> str | None:
        """What should be known of it before a run."""

    @abstractmethod
    def check_exists(self) -> None:
        """Raises SweeperError where no store is there yet."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what `open` and `progress` have given."""

    @abstractmethod
    def remove_leftovers(self) -> None:
        """Remove what dead processes left: half written, claimed, or of use no more as the stage is done."""

    @abstractmethod
    def has(self, key: str) -> bool:
        """Whether the artifact is committed."""

    @abstractmethod
    def existing(self, keys: Collection[str]) -> set[str]:
        """Those of some keys whose artifacts are committed."""

    @abstractmethod
    def all_keys(self) -> list[str]:
        """Keys of all artifacts in place, sorted, the damaged ones among them."""

    @abstractmethod
    def manifest(self, key: str) -> dict[str, Any]:
        """The manifest of a committed artifact. Raises Damaged."""

    @abstractmethod
    def manifests(self, keys: Collection[str]) -> dict[str, dict[str, Any]]:
        """The manifests of those artifacts that are committed, by key and in order; not of one that cannot be read."""

    @abstractmethod
    def open(self, key: str) -> Path:
        """A directory with the files of a committed artifact, every one checked against its sum. Raises Damaged."""

    @abstractmethod
    def check(self, keys: Iterable[str]) -> None:
        """Set aside those of the committed artifacts that fail their sums."""

    @abstractmethod
    def quarantine(self, key: str) -> None:
        """Take a damaged artifact out of every reader's sight, so that its stage runs again."""

    @abstractmethod
    def read_files(self, files: Iterable[File]) -> Iterator[bytes | None]:
        """Files of artifacts, in order; None where one fails the sum in its manifest. Sets nothing aside."""

    @abstractmethod
    def verify(self, key: str) -> str | None:
        """What is wrong with an artifact; None where every file has its sum. Sets nothing aside."""

    @abstractmethod
    def unlisted(self, key: str) -> list[str]:
        """Names of an artifact's files that its manifest does not list."""

    @abstractmethod
    def commit(self, key: str, written: Path, provenance: Mapping[str, Any]) -> None:
        """Make a directory of `scratch` the artifact ``key``, in one step. The first commit stays."""

    @abstractmethod
    def discard(self, key: str) -> None:
        """Remove an artifact and a recorded failure, so that the stage runs again."""

    @abstractmethod
    def scratch(self) -> AbstractContextManager[Path]:
        """An empty directory to write in, removed afterwards unless it was committed or saved."""

    @abstractmethod
    def save_progress(self, key: str, written: Path) -> None:
        """Make a directory of `scratch` the newest progress of ``key``, in one step."""

    @abstractmethod
    def progress(self, key: str) -> Path | None:
        """A directory with the newest intact progress of ``key``, or None."""

    @abstractmethod
    def latest_progress(self, key: str) -> str | None:
        """The name of the newest saved progress of ``key``, another one whenever more was saved; or None."""

    @abstractmethod
    def entries(self, place: str) -> Iterator[Entry]:
        """What lies in a place of the store, such as ``progress``, by name; in ``tmp`` what is not being written."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove something of the store: out of every reader's sight in one step, then deleted."""

    @abstractmethod
    def being_written(self) -> int:
        """Bytes of what living processes are writing, as far as that is known."""

    @abstractmethod
    def free_bytes(self) -> int | None:
        """Bytes that are free; None where there is no end to them."""

    @abstractmethod
    def read(self, name: str) -> bytes | None:
        """A small file of the store by its path in it; None where there is none, or it cannot be read."""

    @abstractmethod
    def beacon(self) -> AbstractContextManager[str]:
        """Write a file for `check_usable` to be asked about elsewhere: its path in the store."""

    @abstractmethod
    def check_usable(self, beacon: str) -> str | None:
        """Why the store cannot be used from here; None when it can.

        Args:
            beacon: path in the store of a file that another process has written, and holds.
        """

    def read_verified(self, key: str, manifest: Mapping[str, Any], name: str) -> bytes | None:
        """One file of an artifact; None where it fails the sum in the artifact's manifest. Sets nothing aside."""
        return next(iter(self.read_files([(key, manifest, name)])))

    def _remove_done(self) -> None:
        """Progress and failures of stages that are done."""
        left = [*self.entries("progress"), *self.entries("failures")]
        done = self.existing({each.key for each in left}) if left else set()
        for each in left:
            if each.key in done and not self.claims.owner(each.key):
                self.remove(each.name)
