"""Drivers of a search are killed at random moments; the same command ends it with every suggestion once."""

import time
from collections.abc import Iterator
from random import Random

import optuna
import pytest
from optuna.trial import TrialState

from sweeper.records.layout import RunsDirectory
from tests.faults.campaign import leftovers
from tests.faults.drivers import WORKER, Driver, kill_all, wait_until_nothing_runs
from tests.project import Project
from tests.sweeper.search_spaces import search_space, suggestions, trials

pytestmark = pytest.mark.faults

ASKED = 12
SPACE = search_space(
    ("seeds: [0, 1]", "seeds: [0, 1]\nfixed: {trunk.pause: 0.005}"),
    ("trials: 6", f"trials: {ASKED}"),
    ("[plus, minus]", "[plus, minus, nan]"),
    more="pruner: median",
)
RUN = ("run", "space.yaml", "--no-tracking", "--save-seconds", "0.1")
ON_RAY, INLINE = 1, 6


@pytest.fixture
def searching(project: Project) -> Iterator[Project]:
    project.write(SPACE)
    yield project
    kill_all(str(project.path))


def lives(project: Project) -> Iterator[Driver]:
    """Drivers, on Ray and without, each to be killed: some before they have made anything, some soon after."""
    moment = Random(8)
    for place in range(ON_RAY + INLINE):
        driver = Driver(project, *RUN, *(["--max-concurrent", "2"] if place < ON_RAY else ["--executor", "inline"]))
        if place < ON_RAY:
            driver.wait_for(lambda driver=driver: driver.processes(WORKER))
        driver.wait_for(lambda: any(project.path.glob("runs/optuna.db")))
        driver.wait_for_work(moment.randrange(4))
        time.sleep(moment.uniform(0, 0.2))
        yield driver


def test_a_search_whose_drivers_are_killed_has_every_suggestion_once(searching: Project) -> None:
    marks = []
    for driver in lives(searching):
        driver.kill()
        assert "Traceback" not in driver.log
        marks.append(driver.mark)
    last = Driver(searching, *RUN, "--executor", "inline")
    assert last.wait_for_exit() == 0, last.log

    storage = RunsDirectory(searching.path / "runs").studies_uri
    (name,) = optuna.get_all_study_names(storage)
    everything = optuna.load_study(study_name=name, storage=storage).trials
    kept = [each for each in everything if each.state != TrialState.FAIL]
    assert {each.state for each in kept} == {TrialState.COMPLETE, TrialState.PRUNED}
    assert len(kept) == len({str(each.params) for each in kept}) == ASKED
    assert all("repeats" in each.user_attrs for each in everything if each.state == TrialState.FAIL)
    rows = suggestions(searching)
    assert [(each["number"], each["state"]) for each in rows] == [
        (each.number, "finished" if each.state == TrialState.COMPLETE else "pruned") for each in kept
    ]
    assert [each["value.score"] for each in rows] == [
        each.value if each.state == TrialState.COMPLETE else None for each in kept
    ]
    assert [(each["param.branch.kind"], each["param.branch.size"]) for each in rows] == [
        (each.params["branch.kind"], each.params["branch.size"]) for each in kept
    ]
    assert {each["status"] for each in trials(searching)} <= {"finished", "pruned"}
    assert all(last.store.verify(key) is None for key in last.store.all_keys())
    assert [each for each in leftovers(last.store) if not each.startswith("failures")] == []
    for mark in marks:
        wait_until_nothing_runs(mark)
