"""Locked files: held by a process for as long as it lives, so that what a dead one held is free at once.

The lock is flock's on a file opened for writing, which Linux also keeps across the machines of an NFS.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path


def take(path: Path) -> int | None:
    """A descriptor of the file, made where there is none, that holds its lock until it is closed.

    None where another process holds it. A holder may remove the file before it closes it.
    """
    return _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB)


def wait_for(path: Path, *, shared: bool = False) -> int:
    """The same once it is free; ``shared`` with others who ask for it shared."""
    descriptor = None
    while descriptor is None:
        descriptor = _locked(path, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
    return descriptor


def _locked(path: Path, how: int) -> int | None:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, how)
            if os.path.samestat(path.stat(), os.fstat(descriptor)):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except FileNotFoundError:  # its last holder removed it in between
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def release(path: Path, descriptor: int) -> None:
    """Remove a file whose lock is held, and let the lock go."""
    with contextlib.suppress(OSError):  # of no use, and of no harm where it stays
        path.unlink()
    os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether a living process holds the file's lock."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
