"""File locks that end with the process that holds them.

They use flock on a file opened for writing, which Linux also supports across the machines of an NFS.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path


def take(path: Path) -> int | None:
    """Lock a file, created if missing, and return a descriptor that holds the lock until it is closed.

    Returns None if another process holds the lock. A holder may remove the file before closing it.
    """
    return _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB)


def wait_for(path: Path, *, shared: bool = False) -> int:
    """Wait for the lock of a file, and return its descriptor; a ``shared`` lock allows other shared ones."""
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
    """Remove a file whose lock is held, and release the lock."""
    with contextlib.suppress(OSError):  # a file that stays does no harm
        path.unlink()
    os.close(descriptor)


def is_held(path: Path) -> bool:
    """Check whether a running process holds the file's lock."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
