import json
from pathlib import Path

import pytest

from sweeper import examination
from sweeper.examination import examine, unmet
from sweeper.store import Store


@pytest.fixture(autouse=True)
def _no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "_gpus", list)  # it starts a process


def test_what_the_driver_wrote_and_holds_is_seen(store: Store) -> None:
    with store.scratch() as held:
        (held / "beacon").write_text("nonce")
        seen = examine(str(store.root), str(held / "beacon"))
        assert (seen["beacon"], seen["store"]) == ("nonce", None)
        assert json.loads(json.dumps(seen))["code"].keys() >= {"sweeper", "trainables.funlora"}
        assert list((store.root / "tmp").iterdir()) == [held]


def test_another_directory_than_the_drivers_is_found_out_and_not_made(tmp_path: Path) -> None:
    seen = examine(str(tmp_path / "store"), str(tmp_path / "store" / "tmp" / "beacon"))
    assert seen["store"] == f"the store {tmp_path}/store here is not the driver's"
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_does_not_hold_is_found_out(store: Store) -> None:
    beacon = store.root / "tmp" / "unlocked" / "beacon"
    beacon.parent.mkdir()
    beacon.write_text("nonce")
    seen = examine(str(store.root), str(beacon))
    assert seen["store"] == f"a lock on {store.root} that another process holds is not seen here"


def test_requirements_that_are_not_met() -> None:
    assert unmet(["click", "nothing-of-the-kind>=2", "click<1", 'nothing; extra == "dev"']) == [
        "nothing-of-the-kind>=2 is not installed",
        *(each for each in unmet(["click<1"]) or [] if each.startswith("click<1 is needed, ")),
    ]
    assert len(unmet(["click<1"]) or []) == 1
