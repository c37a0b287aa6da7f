"""Whose it is to run a stage: a file locked by the process that does, so that a dead owner's claim is free at once.

The lock is flock's, which Linux also keeps across the machines of an NFS. Two sweeps on one store never do the same
stage twice, whether they run on one cluster, on two, or without one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


class Claims:
    """Claims by key below ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextlib.contextmanager
    def hold(self, key: str, owner: str) -> Iterator[bool]:
        """Hold the claim to a stage; False where a living process has it. It ends with this process at the latest."""
        descriptor = self._locked(key)
        if descriptor is None:
            yield False
            return
        try:
            os.truncate(descriptor, 0)
            os.write(descriptor, owner.encode())
            yield True
        finally:
            (self.root / key).unlink(missing_ok=True)
            os.close(descriptor)

    def owner(self, key: str) -> str | None:
        """Who lives and holds the claim, or None."""
        try:
            with (self.root / key).open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return None
        except BlockingIOError:
            with contextlib.suppress(FileNotFoundError):
                return (self.root / key).read_text() or "another process"
        return None

    def remove_free(self) -> None:
        """Remove the claims that dead processes left."""
        for path in filter(Path.is_file, self.root.iterdir()):
            with self.hold(path.name, "a look for leftovers"):
                pass

    def _locked(self, key: str) -> int | None:
        path = self.root / key
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.samestat(path.stat(), os.fstat(descriptor)):
                    return descriptor
            except BlockingIOError:
                os.close(descriptor)
                return None
            except FileNotFoundError:  # its last owner removed it in between
                pass
            os.close(descriptor)
