"""A store in a bucket behind a network that fails."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot
from moto.backends import get_backend

from sweeper.engine.worker import perform
from sweeper.errors import SweeperError
from sweeper.store import open_store
from sweeper.store.base import Damaged, Place, Unreachable
from sweeper.store.bucket import objects
from sweeper.store.bucket.bucket import Bucket
from tests.buckets import Harm, Network
from tests.masked import masked
from tests.sweeper.engine.test_worker import TRUNK, ignore, job_of
from tests.sweeper.store.artifacts import KEY, OTHER, opened, put, save

MANIFESTS, FILES = "/manifests/", "/files/"


@pytest.fixture
def elsewhere(url: str, tmp_path: Path) -> Bucket:
    """The store as a node sees it that has no copies."""
    return opened(url, tmp_path / "elsewhere")


@pytest.mark.parametrize("harm", ["500", "dropped", "unanswered"])
@pytest.mark.parametrize("where", [MANIFESTS, FILES, "/progress/", "/claims/"])
def test_requests_that_fail_are_made_again(bucket: Bucket, net: Network, where: str, harm: Harm) -> None:
    faults = [net.fault(harm, method, where, times=2) for method in ("PUT", "GET")]
    with bucket.claims.hold(KEY, "us") as ours:
        save(bucket, "one")
        progress = bucket.progress(KEY)
        put(bucket)
        assert bucket.read_verified(KEY, bucket.manifest(KEY), "file") == b"content"
    assert ours
    assert progress
    assert (progress / "state").read_text() == "one"
    assert faults[0].times == 0
    for place in ("tmp", "progress", "claims"):
        assert list(bucket.entries(place)) == []


@pytest.mark.parametrize("harm", ["cut", "shortened", "500", "dropped"])
def test_what_arrives_cut_or_not_at_all_is_fetched_again(
    bucket: Bucket, elsewhere: Bucket, net: Network, harm: Harm
) -> None:
    put(bucket)
    fault = net.fault(harm, "GET", FILES, times=2)
    assert (elsewhere.open(KEY) / "file").read_text() == "content"
    assert fault.times == 0
    assert elsewhere.has(KEY)


def test_a_slow_answer_is_not_waited_for_without_end(
    url: str, tmp_path: Path, net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "REQUEST_SECONDS", 0.5)
    bucket = opened(url, tmp_path / "node")
    slow = [net.fault("slow", method, where, times=1, seconds=3) for method, where in (("PUT", FILES), ("GET", "file"))]
    put(bucket)
    assert opened(url, tmp_path / "elsewhere").read_verified(KEY, bucket.manifest(KEY), "file") == b"content"
    assert [fault.times for fault in slow] == [0, 0]


def test_what_is_cut_whenever_it_is_fetched_is_damaged(bucket: Bucket, elsewhere: Bucket, net: Network) -> None:
    put(bucket)
    net.fault("shortened", "GET", FILES)
    assert elsewhere.read_verified(KEY, elsewhere.manifest(KEY), "file") is None
    with pytest.raises(Damaged):
        elsewhere.open(KEY)
    assert not bucket.has(KEY)


def test_a_commit_that_is_cut_off_is_never_half_visible(bucket: Bucket, elsewhere: Bucket, net: Network) -> None:
    fault = net.fault("500", "PUT", MANIFESTS)
    with pytest.raises(Unreachable):
        put(bucket, "first")
    assert (elsewhere.has(KEY), elsewhere.all_keys(), elsewhere.manifests([KEY])) == (False, [], {})
    (left,) = elsewhere.entries("tmp")
    assert (left.key, left.bytes) == (KEY, 5)
    fault.times = 0
    put(elsewhere, "second")
    assert (bucket.open(KEY) / "file").read_text() == "second"
    elsewhere.remove(left.name)
    assert (opened(bucket.place.address, elsewhere._cache.root / "new").open(KEY) / "file").read_text() == "second"


def test_a_loser_of_two_commits_at_once_leaves_the_winners_bytes_alone(
    bucket: Bucket, elsewhere: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = bucket._manifests.commit

    def late(key: str, content: bytes) -> bool:
        put(elsewhere, "won, and longer")
        return commit(key, content)

    monkeypatch.setattr(bucket._manifests, "commit", late)
    put(bucket, "lost")
    assert (bucket.open(KEY) / "file").read_text() == "won, and longer"
    assert list(bucket.entries("tmp")) == []


def test_a_bucket_that_does_not_answer_halts_a_stage_and_loses_nothing(bucket: Bucket, net: Network) -> None:
    job = job_of(TRUNK, bucket, save_seconds=0)
    fault = net.fault("500", "PUT", f"{FILES}|{MANIFESTS}")
    outcome = perform(job, ignore)
    assert outcome.failure is None
    assert masked(outcome.halt, address=bucket.place.address) == snapshot(
        "the store {address} does not respond: 500 Internal Server Error"
    )
    assert bucket.latest_progress(TRUNK.key)
    assert bucket.claims.owner(TRUNK.key) is None
    fault.times = 0
    reached: list[int] = []
    assert perform(job, lambda step, total: reached.append(step)).halt is None
    assert reached == []  # the last step was saved
    assert bucket.has(TRUNK.key)


def test_large_files_go_and_come_in_parts(
    bucket: Bucket, elsewhere: Bucket, net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "PART_BYTES", 5 * 2**20)
    content = bytes(range(256)) * (12 * 2**12)
    with bucket.scratch() as directory:
        (directory / "large").write_bytes(content)
        bucket.commit(KEY, directory, {})
    assert (net.count("POST", "large.*uploads"), net.count("PUT", "large.*partNumber")) == (1, 3)
    fault = net.fault("cut", "GET", "large", times=1)
    assert (elsewhere.open(KEY) / "large").read_bytes() == content
    assert fault.times == 0
    assert net.count("GET", "large") == 4
    assert bucket.verify(KEY) is None


@pytest.mark.slow
def test_many_artifacts_are_listed_by_pages_and_not_asked_for_one_by_one(bucket: Bucket, net: Network) -> None:
    put(bucket)
    name, _, prefix = bucket.place.address.removeprefix("s3://").partition("/")
    server = get_backend("s3")["123456789012"]["global"]
    keys = [f"{number:064x}" for number in range(2100)]
    content = bucket.read(f"manifests/{KEY}.json")
    for key in keys:
        server.put_object(name, f"{prefix}/manifests/{key}.json", content)
    net.asked.clear()
    assert bucket.existing({*keys, OTHER}) == {*keys}
    assert len(bucket.all_keys()) == 2101
    assert net.count("GET", "list-type=2") == len(net.asked) == 6
    bucket.manifests(keys[:60])
    net.asked.clear()
    bucket.manifests(keys[:60])
    assert net.count("GET", MANIFESTS) == 0


def test_a_bucket_without_conditional_put_says_what_that_means_and_gives_no_wrong_result(
    url: str, tmp_path: Path, net: Network
) -> None:
    net.fault("unconditional", "PUT")
    one, two = opened(url, tmp_path / "one"), opened(url, tmp_path / "two")
    assert masked(one.warning(), url=url) == snapshot(
        "{url} does not support conditional put: a stage may run twice, and its artifact be replaced by an equal one; results remain correct"
    )
    with one.claims.hold(KEY, "us") as ours, two.claims.hold(KEY, "they") as theirs:
        assert (ours, theirs) == (True, False)
    put(one, "first")
    put(two, "second")
    assert (two.open(KEY) / "file").read_text() == (one.open(KEY) / "file").read_text() == "first"


def test_a_bucket_that_refuses_conditions_is_taken_for_one_without(url: str, tmp_path: Path, net: Network) -> None:
    net.fault("refusing", "PUT")
    bucket = opened(url, tmp_path / "node")
    assert bucket.warning()
    put(bucket)
    assert (bucket.open(KEY) / "file").read_text() == "content"


def test_an_address_that_is_none(tmp_path: Path) -> None:
    for address in ("http://somewhere/else", "s3:///prefix"):
        with pytest.raises(SweeperError) as error:
            open_store(Place(address, str(tmp_path)))
        assert masked(str(error.value), address=address) == snapshot("""\
'{address}' is not a valid store address
  fix: use a directory, s3://BUCKET/PREFIX or gs://BUCKET/PREFIX\
""")


def test_credentials_in_an_address_are_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SweeperError) as error:
        open_store(Place("s3://somebody:a-secret@bucket/prefix", str(tmp_path)))
    assert str(error.value) == snapshot("""\
a store's address must not contain credentials
  fix: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or GOOGLE_APPLICATION_CREDENTIALS) in the environment\
""")


def test_a_bucket_that_is_not_there(net: Network, tmp_path: Path) -> None:
    for ask in (Bucket.prepare, Bucket.check_exists, Bucket.all_keys):
        store = open_store(Place("s3://no-such-bucket/prefix", str(tmp_path)))
        with pytest.raises(SweeperError) as error:
            ask(store)  # type: ignore[arg-type]
        assert error.value.exit_code == 2
        assert str(error.value) == snapshot("""\
the bucket no-such-bucket does not exist
  fix: create it, or choose another one with --store\
""")


def test_credentials_that_are_not_accepted_are_not_told(url: str, net: Network, tmp_path: Path) -> None:
    net.fault("403", ".*")
    with pytest.raises(SweeperError) as error:
        opened(url, tmp_path)
    assert masked(str(error.value), bucket=url.split("/")[2]) == snapshot("""\
the bucket {bucket} denies access: 403 Forbidden
  fix: check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or GOOGLE_APPLICATION_CREDENTIALS) in the environment, and their permissions: read, write, list and delete\
""")


def test_a_server_without_encryption_must_be_allowed(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ALLOW_HTTP")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://example.org")
    with pytest.raises(SweeperError) as error:
        opened(url, tmp_path)
    assert str(error.value) == snapshot("""\
AWS_ENDPOINT_URL is http://example.org, which is not encrypted
  fix: use https, or set AWS_ALLOW_HTTP=true on a trusted network\
""")


def test_a_server_that_is_gone(tmp_path: Path, net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(SweeperError) as error:
        opened("s3://bucket/gone", tmp_path)
    assert str(error.value) == snapshot("""\
the store s3://bucket/gone does not respond: error sending request
  fix: check the network, AWS_ENDPOINT_URL, and that AWS_REGION is the bucket's region\
""")
