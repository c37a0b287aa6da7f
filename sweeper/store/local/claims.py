"""Claims: which process may run a stage, as a file that it locks, so that a dead owner's claim is free at once.

Two sweeps on one store never run the same stage twice, whether they run on one cluster, on two, or without one.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from sweeper.store.local.locks import is_held, release, take


class LockedClaims:
    """Claims by key below ``root``, on a filesystem with locks."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextlib.contextmanager
    def hold(self, key: str, owner: str) -> Iterator[bool]:
        """Hold the claim to a stage; yields False if another process has it. It ends with the process."""
        path = self.root / key
        descriptor = take(path)
        if descriptor is None:
            yield False
            return
        try:
            os.truncate(descriptor, 0)
            os.write(descriptor, owner.encode())
            yield True
        finally:
            release(path, descriptor)

    def owner(self, key: str) -> str | None:
        """Return the owner of a claim that a running process holds, or None."""
        if is_held(self.root / key):
            with contextlib.suppress(FileNotFoundError):
                return (self.root / key).read_text() or "another process"
        return None

    def living(self) -> set[str]:
        """Return the keys of all claims that running processes hold."""
        return {path.name for path in self.root.glob("*") if is_held(path)}

    def remove_free(self) -> None:
        """Remove the claims that dead processes left."""
        for path in filter(Path.is_file, self.root.iterdir()):
            with self.hold(path.name, "cleanup"):
                pass
