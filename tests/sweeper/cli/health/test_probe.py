import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from sweeper.cli.health import probe as examination
from sweeper.cli.health.probe import examine, unmet
from sweeper.store.local.directory import Directory
from tests.masked import masked


@pytest.fixture(autouse=True)
def _no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "_gpus", list)  # it starts a process


def test_what_the_driver_wrote_and_holds_is_seen(store: Directory) -> None:
    with store.beacon() as beacon:
        seen = examine(asdict(store.place), beacon)
        assert (seen["beacon"], seen["store"]) == ((store.root / beacon).read_text(), None)
        assert json.loads(json.dumps(seen))["code"].keys() >= {"sweeper", "trainables.funlora"}
        assert list((store.root / "tmp").iterdir()) == [(store.root / beacon).parent]


def test_another_directory_than_the_drivers_is_found_out_and_not_made(tmp_path: Path) -> None:
    seen = examine({"address": str(tmp_path / "store")}, "tmp/some/beacon")
    assert masked(seen["store"], tmp_path=tmp_path) == snapshot("the store {tmp_path}/store here is not the driver's")
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_does_not_hold_is_found_out(store: Directory) -> None:
    beacon = store.root / "tmp" / "unlocked" / "beacon"
    beacon.parent.mkdir()
    beacon.write_text("nonce")
    seen = examine(asdict(store.place), "tmp/unlocked/beacon")
    assert masked(seen["store"], root=store.root) == snapshot(
        "a lock that another process holds on {root} is not visible here"
    )


def test_requirements_that_are_not_met() -> None:
    assert unmet(["click", "nothing-of-the-kind>=2", "click<1", 'nothing; extra == "dev"']) == [
        "nothing-of-the-kind>=2 is not installed",
        *(each for each in unmet(["click<1"]) or [] if each.startswith("click<1 is needed, ")),
    ]
    assert len(unmet(["click<1"]) or []) == 1


def test_a_system_that_does_not_say_which_cpus_are_ours_has_all_of_them(
    store: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")  # as on macOS
    with store.beacon() as beacon:
        assert examine(asdict(store.place), beacon)["cpus"] == os.cpu_count()
