"""Stores of either kind, and artifacts to put into them."""

from dataclasses import dataclass
from pathlib import Path

from sweeper.store import open_store
from sweeper.store.base import Place, Store
from sweeper.store.bucket.bucket import Bucket
from sweeper.store.bucket.manifests import files_of, object_of
from sweeper.store.local.directory import Directory

KEY = "ab" + "0" * 62
OTHER = "cd" + "0" * 62


def put(store: Store, content: str = "content", key: str = KEY) -> None:
    with store.scratch() as directory:
        (directory / "file").write_text(content)
        store.commit(key, directory, {"seconds": 1})


def save(store: Store, content: str, key: str = KEY) -> None:
    with store.scratch() as directory:
        (directory / "state").write_text(content)
        store.save_progress(key, directory)


@dataclass(frozen=True)
class Anywhere:
    """A store of either kind, on two nodes."""

    store: Store
    other: Store
    """The same one as another node sees it."""

    def harm(self, key: str, name: str, content: bytes | None) -> None:
        """Put other bytes in the place of a file of an artifact, or nothing."""
        if isinstance(self.store, Bucket):
            manifest = object_of(key)
            where = manifest if name == "manifest.json" else f"{files_of(key, self.store.manifest(key))}/{name}"
            self.store.delete(where)
            if content is not None:
                self.store.write(where, content)
        elif isinstance(self.store, Directory):
            (self.store.path(key) / name).unlink()
            if content is not None:
                (self.store.path(key) / name).write_bytes(content)


def opened(url: str, cache: Path, limit: int = 10**9) -> Bucket:
    """The store as the node with that cache sees it."""
    made = open_store(Place(url, str(cache), limit))
    assert isinstance(made, Bucket)
    made.prepare()
    return made
