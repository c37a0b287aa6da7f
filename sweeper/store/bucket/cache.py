"""A node's cache of remote artifacts, shared by its processes and limited in size; the least recently used go first.

artifacts/<name>    a copy, written elsewhere and renamed into place
uses/<name>         locked by every process that uses the copy; its modification time is that of the last use
fetching/<name>     locked by the process that downloads it, while others wait
bytes               total size of the copies, or more: copies removed by hand are noticed when the limit is reached
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from sweeper.errors import SweeperError
from sweeper.store.local.locks import release, take, wait_for
from sweeper.store.local.scratch import Scratch, delete, size
from sweeper.store.manifest import verify

FULL = 0.9
"""Share of the limit down to which copies are removed, so that not every new copy requires a scan of all."""


class Cache:
    """Copies by name below ``root``, at most ``limit`` bytes in total unless more are in use at the same time."""

    def __init__(self, root: Path, limit: int) -> None:
        self.root = root
        self.scratch = Scratch(root)
        self._limit = limit

    def prepare(self) -> None:
        """Create its directories. Raises SweeperError if they cannot be written."""
        try:
            self.scratch.prepare()
            for name in ("artifacts", "uses", "fetching", "claims"):
                (self.root / name).mkdir(exist_ok=True)
        except OSError as error:
            message = f"the cache {self.root} cannot be written: {error.strerror}"
            raise SweeperError(message, fix="choose another directory with --cache") from None

    @contextlib.contextmanager
    def using(self, name: str, fetch: Callable[[Path], None]) -> Iterator[Path]:
        """Yield an intact copy, kept while in use; ``fetch`` downloads a missing or damaged one to a directory."""
        path, used = self.root / "artifacts" / name, self.root / "uses" / name
        lock = wait_for(used, shared=True)
        try:
            os.utime(used)
            if verify(path):
                self._fetch(name, fetch)
            yield path
        finally:
            os.close(lock)

    def adopt(self, name: str, written: Path) -> None:
        """Move a directory that was just committed into the cache, as it is likely to be used here."""
        (self.root / "uses" / name).touch()
        self._make_room(size(written))
        with contextlib.suppress(OSError):
            written.rename(self.root / "artifacts" / name)

    def file(self, name: str, file: str) -> bytes | None:
        """Return a file of a copy, unverified; None if it is missing."""
        try:
            return (self.root / "artifacts" / name / file).read_bytes()
        except OSError:
            return None

    def _fetch(self, name: str, fetch: Callable[[Path], None]) -> None:
        path, fetching = self.root / "artifacts" / name, self.root / "fetching" / name
        lock = wait_for(fetching)
        try:
            if verify(path) is None:
                return  # another process has fetched it
            delete(path)
            with self.scratch.new() as directory:
                fetch(directory)
                self._make_room(size(directory))
                directory.rename(path)
        finally:
            release(fetching, lock)

    def _make_room(self, wanted: int) -> None:
        """Add the bytes of a new copy to the total, and remove unused copies if that exceeds the limit."""
        with self._counted() as counter:
            written = counter.read_text()
            total = int(written) + wanted if written.isdigit() else self._limit + 1
            counter.write_text(str(total if total <= self._limit else self._remove_oldest(wanted)))

    def _remove_oldest(self, wanted: int) -> int:
        sizes = {path.name: size(path) for path in (self.root / "artifacts").iterdir()}
        total = sum(sizes.values()) + wanted
        for name in sorted(sizes, key=self._last_used):
            if total <= FULL * self._limit:
                break
            used = self.root / "uses" / name
            lock = take(used)
            if lock is not None:
                delete(self.root / "artifacts" / name)
                release(used, lock)
                total -= sizes[name]
        return total

    def _last_used(self, name: str) -> float:
        try:
            return (self.root / "uses" / name).stat().st_mtime
        except OSError:
            return 0.0

    @contextlib.contextmanager
    def _counted(self) -> Iterator[Path]:
        counter, lock = self.root / "bytes", wait_for(self.root / "counting")
        counter.touch()
        try:
            yield counter
        finally:
            os.close(lock)
