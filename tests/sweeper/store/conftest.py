import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sweeper.store import open_store
from sweeper.store.base import Place, Store
from sweeper.store.bucket import objects
from sweeper.store.bucket.bucket import Bucket
from sweeper.store.bucket.manifests import files_of, object_of
from sweeper.store.local.directory import Directory
from tests.buckets import KEYS, Network, make_bucket, network, server

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


@pytest.fixture(scope="session")
def _server() -> Iterator[int]:
    with server() as port:
        yield port


@pytest.fixture
def net(_server: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """The network between the tests and a real S3 server; what credentials and patience a user has."""
    with network(_server) as (made, address):
        for name, value in {**KEYS, "AWS_ENDPOINT_URL": address, "AWS_ALLOW_HTTP": "true"}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(objects, "PATIENCE_SECONDS", 1.0)
        yield made


@pytest.fixture
def url(net: Network) -> str:
    """Of an empty place in a bucket."""
    return f"s3://{make_bucket(os.environ['AWS_ENDPOINT_URL'])}/some/prefix"


@pytest.fixture
def bucket(url: str, tmp_path: Path) -> Bucket:
    return opened(url, tmp_path / "node")


def opened(url: str, cache: Path, limit: int = 10**9) -> Bucket:
    """The store as the node with that cache sees it."""
    made = open_store(Place(url, str(cache), limit))
    assert isinstance(made, Bucket)
    made.prepare()
    return made


@pytest.fixture(params=["directory", "bucket"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Anywhere:
    if request.param == "bucket":
        where = request.getfixturevalue("url")
        return Anywhere(opened(where, tmp_path / "one"), opened(where, tmp_path / "two"))
    one, two = Directory(tmp_path / "store"), Directory(tmp_path / "store")
    one.prepare()
    return Anywhere(one, two)
