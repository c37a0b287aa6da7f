"""Stages that diverge, run out of memory, or take their process with them."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from sweeper.engine import dispatch
from sweeper.engine.dispatch import Dispatch
from sweeper.engine.executors.inline import InlineExecutor
from sweeper.engine.worker import Outcome, perform
from sweeper.planning.graph import Graph
from sweeper.store.base import Store
from tests.faults.campaign import GOOD, Campaign, Undisturbed
from tests.project import Project
from tests.tiny.disturbance import FAULT, LOG

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return Undisturbed.of(tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture
def campaign(tmp_path: Path, undisturbed: Undisturbed, monkeypatch: pytest.MonkeyPatch) -> Campaign:
    monkeypatch.setenv(LOG, str(tmp_path / "starts"))
    return Campaign(Project(tmp_path), undisturbed)


def starts(campaign: Campaign) -> Counter[str]:
    """How often the body of each stage was started."""
    return Counter((campaign.project.path / "starts").read_text().splitlines())


def test_a_diverged_stage_is_tried_once_and_again_when_forced(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FAULT, "nan minus 2")
    for _ in range(2):
        done = campaign.go_on()
        assert done.returncode == 1
        assert done.stderr.splitlines()[-2:] == snapshot(
            [
                "2 of 8 trials failed",
                "  2 diverged and would diverge again: change their parameters, or force them with --rerun STAGE",
            ]
        )
        assert "the loss is nan at step 7" in done.stdout
        assert "Traceback" not in done.stderr
        assert set(starts(campaign).values()) == {1}
        assert len(campaign.store.all_keys()) == 2 + 18 + 6
    campaign.remember()
    monkeypatch.delenv(FAULT)
    assert campaign.go_on().returncode == 1
    assert set(starts(campaign).values()) == {1}
    assert campaign.judge(campaign.go_on("--rerun", "bend")) == GOOD
    assert Counter(starts(campaign).values()) == {1: 28, 2: 6}


def test_a_stage_without_memory_is_tried_once_more_alone(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FAULT, "memory-once plus 1")
    done = campaign.go_on()
    assert campaign.judge(done) == GOOD
    assert done.stderr.count("it asked for 1 CPU, there is ") == 6
    assert Counter(starts(campaign).values()) == {1: 28, 2: 6}


def test_a_stage_that_never_has_enough_memory_fails_and_says_how_much_there_was(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FAULT, "memory plus 1")
    done = campaign.go_on()
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "out of memory: cannot allocate 999 GiB; it asked for 1 CPU, there is " in done.stdout
    assert done.stderr.splitlines()[-1] == snapshot("2 of 8 trials failed; run the same command again to retry them")
    assert Counter(starts(campaign).values()) == {1: 2 + 18 + 6, 2: 6}
    campaign.remember()
    monkeypatch.delenv(FAULT)
    assert campaign.judge(campaign.go_on()) == GOOD


def test_a_stage_that_always_kills_its_worker_fails_in_the_end_and_the_others_finish(
    graph: Graph, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "BACKOFF", (0.0, 0.0, 0.01))
    sweep = Dispatch(graph, store, machine=InlineExecutor().machine, save_seconds=60, observers=[])
    deadly = next(node.key for node in graph.stages.values() if node.function.label == "bend")
    tries = run_all(sweep, lambda key: key == deadly)
    assert tries[deadly] == 4
    assert set(sweep.schedule.failed.values()) == {"its worker process died, 4 times at the same place"}
    assert [failure.kind for failure in store.failures.all().values()] == ["lost"]
    assert len(store.all_keys()) == len(graph.stages) - 2
    again = Dispatch(graph, store, machine=InlineExecutor().machine, save_seconds=60, observers=[])
    assert set(run_all(again, lambda key: False).values()) == {1}
    assert not store.failures.all()
    assert len(store.all_keys()) == len(graph.stages)


def run_all(sweep: Dispatch, kills: Callable[[str], bool]) -> Counter[str]:
    """Run it like an executor whose worker dies at some stages. How often each was tried."""
    tries: Counter[str] = Counter()
    while not sweep.finished:
        if job := sweep.next():
            tries[job.key] += 1
            if kills(job.key):
                sweep.lost(job.key, "its worker process died")
            else:
                outcome = perform(job, lambda step, total: None)
                assert outcome == Outcome()
                sweep.ended(job.key, outcome)
    return tries
