"""What holds of every store, wherever its artifacts lie."""

from datetime import UTC, datetime, timedelta

import pytest

from sweeper.store.base import Damaged
from sweeper.store.failures import Failure
from tests.sweeper.store.artifacts import KEY, OTHER, Anywhere, put, save

FAILURE = Failure(kind="error", cause="no luck", stage="m:grow", source="aa", sweep="tiny", when="now")
SUM = "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"


def test_an_artifact_is_there_after_commit_with_its_manifest(anywhere: Anywhere) -> None:
    store = anywhere.other
    assert not store.has(KEY)
    put(anywhere.store)
    assert store.has(KEY)
    assert (store.open(KEY) / "file").read_text() == "content"
    manifest = store.manifest(KEY)
    assert manifest["seconds"] == 1
    assert manifest["files"] == {"file": {"size": 7, "sha256": SUM}}
    assert store.read_verified(KEY, manifest, "file") == b"content"
    assert store.read_verified(KEY, manifest, "another") is None
    assert store.manifests([OTHER, KEY]) == {KEY: manifest}
    assert store.existing([OTHER, KEY]) == {KEY}
    assert store.all_keys() == [KEY]
    assert store.verify(KEY) is None
    assert store.unlisted(KEY) == []


def test_what_is_not_there_is_damaged(anywhere: Anywhere) -> None:
    for ask in (anywhere.store.open, anywhere.store.manifest):
        with pytest.raises(Damaged):
            ask(KEY)


def test_an_uncommitted_artifact_leaves_nothing(anywhere: Anywhere) -> None:
    with pytest.raises(RuntimeError), anywhere.store.scratch() as directory:
        (directory / "file").write_text("half")
        raise RuntimeError
    assert not directory.exists()
    assert not anywhere.other.has(KEY)
    assert list(anywhere.store.entries("tmp")) == []


def test_the_first_of_two_commits_stays(anywhere: Anywhere) -> None:
    put(anywhere.store, "first")
    put(anywhere.other, "other")
    for store in (anywhere.store, anywhere.other):
        assert (store.open(KEY) / "file").read_text() == "first"
    assert list(anywhere.store.entries("tmp")) == []


@pytest.mark.parametrize("damage", ["truncated", "flipped", "missing", "manifest"])
def test_a_damaged_artifact_is_set_aside_and_made_again(anywhere: Anywhere, damage: str) -> None:
    put(anywhere.store)
    content = {"truncated": b"cont", "flipped": b"cOntent", "missing": None, "manifest": b'{"files": '}[damage]
    anywhere.harm(KEY, "manifest.json" if damage == "manifest" else "file", content)
    assert (
        anywhere.other.verify(KEY)
        == {
            "truncated": "file has 4 bytes instead of 7",
            "flipped": "file does not match its checksum",
            "missing": "file is missing",
            "manifest": "manifest.json cannot be read",
        }[damage]
    )
    assert anywhere.other.has(KEY)
    with pytest.raises(Damaged):
        anywhere.other.open(KEY)
    assert not anywhere.store.has(KEY)
    (aside,) = anywhere.store.entries("damaged")
    assert aside.key == KEY
    put(anywhere.store)
    assert (anywhere.other.open(KEY) / "file").read_text() == "content"


def test_many_are_checked_and_the_damaged_ones_set_aside(anywhere: Anywhere) -> None:
    put(anywhere.store)
    put(anywhere.store, key=OTHER)
    anywhere.harm(OTHER, "file", b"another")
    anywhere.other.check([KEY, OTHER, "ef" * 32])
    assert anywhere.store.all_keys() == [KEY]


def test_progress_is_the_newest_intact_one(anywhere: Anywhere) -> None:
    store = anywhere.store
    assert (store.progress(KEY), store.latest_progress(KEY)) == (None, None)
    save(store, "one")
    first = store.latest_progress(KEY)
    save(store, "two")
    assert first != anywhere.other.latest_progress(KEY)
    newest = anywhere.other.progress(KEY)
    assert newest
    assert (newest / "state").read_text() == "two"
    assert len(list(store.entries("progress"))) == 1


def test_progress_and_a_failure_go_when_the_stage_is_done(anywhere: Anywhere) -> None:
    save(anywhere.store, "one")
    anywhere.store.failures.record(KEY, FAILURE)
    assert anywhere.other.failures.all() == {KEY: FAILURE}
    put(anywhere.store)
    assert anywhere.other.progress(KEY) is None
    assert anywhere.other.failures.all() == {}


def test_leftovers_of_a_stage_that_is_done_go_and_others_stay(anywhere: Anywhere) -> None:
    put(anywhere.store)
    for key in (KEY, OTHER):
        save(anywhere.store, "late", key)
        anywhere.store.failures.record(key, FAILURE)
    anywhere.other.remove_leftovers()
    assert [each.key for each in anywhere.store.entries("progress")] == [OTHER]
    assert anywhere.store.failures.all().keys() == {OTHER}


def test_a_discarded_artifact_is_gone(anywhere: Anywhere) -> None:
    put(anywhere.store)
    anywhere.store.discard(KEY)
    assert not anywhere.other.has(KEY)
    for place in ("objects", "tmp", "damaged"):
        assert list(anywhere.store.entries(place)) == []


def test_entries_say_what_takes_how_much_and_since_when(anywhere: Anywhere) -> None:
    put(anywhere.store)
    save(anywhere.store, "one", OTHER)
    (artifact,), (progress,) = anywhere.store.entries("objects"), anywhere.store.entries("progress")
    assert (artifact.key, progress.key) == (KEY, OTHER)
    assert 7 < artifact.bytes < 1000
    assert abs(datetime.now(UTC) - artifact.made) < timedelta(minutes=1)
    anywhere.other.remove(artifact.name)
    anywhere.other.remove(progress.name)
    assert (anywhere.store.all_keys(), anywhere.store.latest_progress(OTHER)) == ([], None)


def test_one_of_two_holds_a_claim_and_the_other_learns_whose_it_is(anywhere: Anywhere) -> None:
    with anywhere.store.claims.hold(KEY, "the first") as first:
        assert first
        with anywhere.other.claims.hold(KEY, "the second") as second:
            assert not second
        with anywhere.other.claims.hold(OTHER, "the second") as other:
            assert other
        for store in (anywhere.store, anywhere.other):
            assert store.claims.owner(KEY) == "the first"
        anywhere.other.claims.remove_free()
        assert anywhere.other.claims.owner(KEY) == "the first"
    assert anywhere.other.claims.owner(KEY) is None
    with anywhere.other.claims.hold(KEY, "the second") as again:
        assert again
    assert list(anywhere.store.entries("claims")) == []


def test_another_node_can_be_asked_whether_it_sees_the_same_store(anywhere: Anywhere) -> None:
    with anywhere.store.beacon() as beacon:
        assert anywhere.other.read(beacon)
        assert anywhere.other.check_usable(beacon) is None
    assert anywhere.other.read(beacon) is None
