"""Claims in a bucket: whose owner is gone, and who takes over."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sweeper.store.bucket import leases
from sweeper.store.bucket.bucket import Bucket
from tests.buckets import Network
from tests.sweeper.store.artifacts import KEY, opened

HOLD = """
import sys, time
from sweeper.store import open_store
from sweeper.store.base import Place
with open_store(Place(sys.argv[1], sys.argv[2])).claims.hold(sys.argv[3], "somebody") as ours:
    print(ours, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def elsewhere(url: str, tmp_path: Path) -> Bucket:
    """The store as another node sees it."""
    return opened(url, tmp_path / "elsewhere")


@pytest.fixture
def dead(url: str, tmp_path: Path) -> None:
    """The claim of a process of the node, which was killed."""
    command = [sys.executable, "-c", HOLD, url, str(tmp_path / "node"), KEY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "True\n"
        holder.send_signal(signal.SIGKILL)


def pass_by(store: Bucket, seconds: float) -> None:
    """As if so much time had passed by the server's clock."""
    store._objects._clock = time.monotonic() - seconds, store._objects.now()


def test_what_a_killed_process_of_the_same_node_had_is_free_at_once(dead: None, bucket: Bucket) -> None:
    assert bucket.claims.owner(KEY) is None
    with bucket.claims.hold(KEY, "the heir") as ours:
        assert ours
        assert bucket.claims.owner(KEY) == "the heir"
    assert list(bucket.entries("claims")) == []


def test_what_a_killed_process_of_another_node_had_is_free_when_its_lease_has_ended(
    dead: None, elsewhere: Bucket
) -> None:
    assert elsewhere.claims.owner(KEY) == "somebody"
    with elsewhere.claims.hold(KEY, "too early") as ours:
        assert not ours
    assert list(elsewhere.entries("claims")) == []
    pass_by(elsewhere, 62)
    assert elsewhere.claims.owner(KEY) is None
    assert [each.key for each in elsewhere.entries("claims")] == [KEY]
    with elsewhere.claims.hold(KEY, "the heir") as ours:
        assert ours


def test_two_heirs_of_a_claim_are_not_both_given_it(
    dead: None, bucket: Bucket, elsewhere: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_over = leases._Lease.take_over
    given: list[bool] = []

    def late(self: leases._Lease, tag: str) -> bool:
        monkeypatch.setattr(leases._Lease, "take_over", take_over)
        with bucket.claims.hold(KEY, "the quicker heir") as ours:
            given.append(ours)
            return take_over(self, tag)

    monkeypatch.setattr(leases._Lease, "take_over", late)
    monkeypatch.setattr(leases.Leases, "_is_expired", lambda self, stored: True)
    with elsewhere.claims.hold(KEY, "the slower heir") as ours:
        given.append(ours)
    assert given == [True, False]


def test_a_lease_that_is_renewed_stays(
    bucket: Bucket, elsewhere: Bucket, net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LEASE_SECONDS", 2.0)
    monkeypatch.setattr(leases, "RENEWALS", 40)
    net.fault("500", "PUT", "/claims/", times=2)
    tags = set()
    with bucket.claims.hold(KEY, "us") as ours:
        assert ours
        while len(tags) < 4:
            stored = elsewhere._objects.head(f"claims/{KEY}")
            assert stored
            tags.add(stored.tag)
        assert elsewhere.claims.owner(KEY) == "us"
    assert list(bucket.entries("claims")) == []
    assert bucket.claims.owner(KEY) is None


def test_an_owner_whose_lease_was_taken_over_leaves_the_new_one_alone(
    bucket: Bucket, elsewhere: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LEASE_SECONDS", 0.2)
    lost = threading.Event()
    replace = bucket._objects.replace

    def told(name: str, content: bytes, tag: str) -> str | None:
        result = replace(name, content, tag)
        if result is None:
            lost.set()
        return result

    monkeypatch.setattr(bucket._leases._objects, "replace", told)
    with bucket.claims.hold(KEY, "the old one") as ours:
        assert ours
        assert bucket._objects.put(f"claims/{KEY}", b'{"owner": "the new one", "node": "another", "id": "x"}') is None
        assert lost.wait(10)
    monkeypatch.setattr(leases, "LEASE_SECONDS", 60.0)
    assert elsewhere.claims.owner(KEY) == "the new one"
