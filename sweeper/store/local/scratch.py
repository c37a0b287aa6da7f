"""Directories to write in, each with a lock file that its writer holds while it runs."""

from __future__ import annotations

import contextlib
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from sweeper.store.local.locks import is_held, release, take, wait_for


class Scratch:
    """Directories in ``root/tmp``, each locked by a file in ``root/locks``, as NFS can lock only files."""

    def __init__(self, root: Path) -> None:
        self._places, self._locks = root / "tmp", root / "locks"

    def prepare(self) -> None:
        """Create both directories."""
        for place in (self._places, self._locks):
            place.mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def new(self) -> Iterator[Path]:
        """Create an empty directory, removed afterwards unless it was moved."""
        self.prepare()
        name = uuid.uuid4().hex
        lock = wait_for(self._locks / name)
        try:
            (self._places / name).mkdir()
            yield self._places / name
        finally:
            shutil.rmtree(self._places / name, ignore_errors=True)
            release(self._locks / name, lock)

    def held(self) -> set[str]:
        """Return the names of the directories whose writers are running."""
        return {path.name for path in self._locks.glob("*") if is_held(path)}

    def remove_dead(self) -> None:
        """Remove the directories and locks of dead writers."""
        self.prepare()
        for name in {path.name for place in (self._places, self._locks) for path in place.iterdir()}:
            lock = take(self._locks / name)
            if lock is not None:
                delete(self._places / name)
                release(self._locks / name, lock)


def delete(path: Path) -> None:
    """Delete a file or a directory, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def size(path: Path) -> int:
    """Return the bytes of a file or of all files of a directory, ignoring files that disappear meanwhile."""
    total = 0
    for each in [path, *path.rglob("*")]:
        with contextlib.suppress(OSError):
            total += each.stat().st_size if each.is_file() else 0
    return total
