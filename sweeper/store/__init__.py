"""Content-addressed artifacts, in a directory or a bucket."""

from __future__ import annotations

from pathlib import Path

from sweeper.store.base import Place, Store


def open_store(place: Place) -> Store:
    """Open the store at a place. Raises SweeperError for an invalid address."""
    if "://" in place.address:
        from sweeper.store.bucket.bucket import Bucket

        return Bucket(place)
    from sweeper.store.local.directory import Directory

    return Directory(Path(place.address))
