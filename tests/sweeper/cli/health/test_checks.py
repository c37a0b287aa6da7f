"""What an examination means: of one machine, and of a node beside the driver."""

from typing import Any

import pytest

from sweeper.cli.health.checks import Check, judge, judge_node, skew

HERE: dict[str, Any] = {
    "host": "here",
    "python": None,
    "packages": {"python": "3.12.1", "torch": "2.9.0"},
    "unmet": [],
    "code": {"sweeper": "aa", "trainables.funlora": "bb"},
    "cpus": 4,
    "gpus": [["H200", 150e9]],
    "root": "/runs/store",
    "beacon": "nonce",
    "store": None,
    "free": 70e9,
}


def statuses(**changed: Any) -> dict[str, str]:
    return {each.name: each.status for each in judge({**HERE, **changed})}


def node(there: Any, off: float = 0.0) -> list[Check]:
    return list(judge_node("n1", HERE, there, off))


def differing(**changed: Any) -> tuple[str, str, str]:
    (check,) = node({**HERE, **changed})
    assert check.fix
    return check.status, check.name, check.detail


def test_a_machine_by_itself() -> None:
    well = dict.fromkeys(["Python", "packages", "devices", "store", "disk"], "ok")
    assert statuses() == well
    assert statuses(free=4e9) == {**well, "disk": "warn"}
    assert statuses(unmet=None) == {**well, "packages": "warn"}
    assert statuses(unmet=["torch is not installed"]) == {**well, "packages": "FAIL"}
    assert statuses(python=">=3.13") == {**well, "Python": "FAIL"}
    assert statuses(gpus="ImportError: no libcudart") == {**well, "devices": "FAIL"}
    assert statuses(store="it cannot be written") == {**well, "store": "FAIL"}


def test_a_node_like_the_driver_is_one_line() -> None:
    assert [str(each) for each in node(HERE)] == ["ok   node n1: as here; 4 CPU threads, H200 (150.0 GB); 70.0 GB free"]


def test_a_node_that_cannot_be_examined() -> None:
    (check,) = node("ModuleNotFoundError: No module named 'sweeper'")
    assert str(check).startswith(
        "FAIL node n1: cannot be examined: ModuleNotFoundError: No module named 'sweeper'\n     fix: "
    )


def test_a_node_with_another_store_code_or_packages() -> None:
    assert differing(beacon="another") == (
        "FAIL",
        "node n1, store",
        "/runs/store there is another directory than here",
    )
    assert differing(beacon=None, store="the store /runs/store here is not the driver's") == (
        "FAIL",
        "node n1, store",
        "the store /runs/store here is not the driver's",
    )
    assert differing(code={"sweeper": "aa", "trainables.funlora": "cc"}) == (
        "FAIL",
        "node n1, code",
        "another code than here of trainables.funlora",
    )
    assert differing(packages={"python": "3.12.1", "torch": "2.8.0"}) == (
        "FAIL",
        "node n1, versions",
        "torch 2.8.0 (here 2.9.0)",
    )
    assert differing(free=1e9) == ("warn", "node n1, disk", "1.0 GB free")


@pytest.mark.parametrize(("off", "status"), [(1.9, "ok"), (2.1, "warn"), (30.1, "FAIL")])
def test_a_node_with_another_time(off: float, status: str) -> None:
    (check,) = node(HERE, off)
    assert check.status == status


def test_a_clock_is_off_by_what_the_round_trip_does_not_explain() -> None:
    assert skew(sent=10.0, told=12.0, received=15.0) == 0.0
    assert skew(sent=10.0, told=7.0, received=15.0) == 3.0
    assert skew(sent=10.0, told=40.0, received=15.0) == 25.0
