import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweeper.store.bucket import objects
from sweeper.store.bucket.bucket import Bucket
from sweeper.store.local.directory import Directory
from tests.buckets import KEYS, Network, make_bucket, network, server
from tests.sweeper.store.artifacts import Anywhere, opened


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


@pytest.fixture(params=["directory", "bucket"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Anywhere:
    if request.param == "bucket":
        where = request.getfixturevalue("url")
        return Anywhere(opened(where, tmp_path / "one"), opened(where, tmp_path / "two"))
    one, two = Directory(tmp_path / "store"), Directory(tmp_path / "store")
    one.prepare()
    return Anywhere(one, two)
