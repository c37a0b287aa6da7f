"""What the driver decides when a stage does not simply end: with executors that say what the test wants."""

import itertools

import pytest
from inline_snapshot import snapshot

from sweeper.engine import dispatch as dispatch_module
from sweeper.engine.dispatch import Dispatch, Halted, Machine
from sweeper.engine.worker import Job, Outcome, perform
from sweeper.planning.graph import Graph
from sweeper.store.base import Store
from sweeper.trainable.resources import Resources
from sweeper.trainable.stage import Stage
from tests.project import finish

NODE = Resources(4, 1.0, 0)


class Told:
    """What observers are told, as lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def started(self, node: Stage) -> None:
        self.lines.append(f"started {node.function.label}")

    def added(self, stages) -> None: ...

    def progressed(self, node: Stage, step: int, total: int) -> None: ...

    def deferred(self, node: Stage, why: str) -> None:
        self.lines.append(f"deferred {node.function.label}: {why}")

    def ended(self, node: Stage, failure: str | None) -> None:
        self.lines.append(f"ended {node.function.label}: {failure}")


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def running(graph: Graph, store: Store, told: Told, monkeypatch: pytest.MonkeyPatch) -> Dispatch:
    """A sweep on a machine with 4 CPUs and one GPU; nobody waits."""
    monkeypatch.setattr(dispatch_module, "BACKOFF", (0.0, 0.0, 0.0))
    monkeypatch.setattr(dispatch_module, "ELSEWHERE_SECONDS", 0.05)
    machine = Machine("cpu", capacity=lambda: NODE, alone=lambda request: NODE)
    return Dispatch(graph, store, machine=machine, save_seconds=60, observers=[told])


def next_job(dispatch: Dispatch) -> Job:
    job = dispatch.next()
    assert job
    return job


def run_here(job: Job) -> Outcome:
    return perform(job, lambda step, total: None)


def finish_rest(dispatch: Dispatch) -> None:
    while not dispatch.finished:
        if job := dispatch.next():
            dispatch.ended(job.key, run_here(job))


def test_no_more_is_in_flight_than_the_cpus_hold(running: Dispatch) -> None:
    jobs = list(itertools.islice(iter(running.next, None), 10))
    assert len(jobs) == 2  # the two trunks
    for job in jobs:
        running.ended(job.key, run_here(job))
    assert len(list(itertools.islice(iter(running.next, None), 10))) == 4


def test_a_stage_larger_than_the_machine_goes_when_nothing_else_runs(graph: Graph, store: Store) -> None:
    tiny = Machine("cpu", capacity=lambda: Resources(0, 0.0, 0), alone=lambda request: request)
    waiting = Dispatch(graph, store, machine=tiny, save_seconds=60, observers=[])
    assert waiting.next()
    assert waiting.next() is None


def test_a_stage_without_memory_is_tried_once_more_alone_and_then_fails(running: Dispatch, told: Told) -> None:
    job, other = next_job(running), next_job(running)
    full = Outcome(failure="out of memory: 3 GiB", kind="out of memory")
    running.ended(job.key, full)
    assert told.lines[-1] == snapshot("deferred grow: out of memory: 3 GiB; once more, alone")
    assert running.next() is None  # alone means that the other one has ended
    running.ended(other.key, Outcome(failure="no matter"))
    again = next_job(running)
    assert (again.key, again.place, again.request) == (job.key, NODE, job.request)
    running.ended(again.key, full)
    assert told.lines[-1] == snapshot("ended grow: out of memory: 3 GiB")
    assert running.finished


def test_a_lost_worker_is_retried_and_in_the_end_a_failure(running: Dispatch, told: Told, store: Store) -> None:
    first = next_job(running)
    for _ in range(4):
        running.lost(first.key, "its worker process died")
        job = next_job(running) if first.key not in running.schedule.failed else first
        assert job.key == first.key
    assert told.lines[-1] == snapshot("ended grow: its worker process died, 4 times at the same place")
    assert store.failures.all()[first.key].kind == "lost"


def test_a_loss_after_more_was_saved_does_not_count_against_a_stage(running: Dispatch, store: Store) -> None:
    job = next_job(running)
    for _ in range(9):
        with store.scratch() as directory:
            store.save_progress(job.key, directory)
        running.lost(job.key, "its node went away")
        job = next_job(running)
    assert not running.schedule.failed


def test_what_diverged_is_not_tried_again_by_the_same_code(
    graph: Graph, store: Store, running: Dispatch, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = next_job(running)
    running.ended(job.key, Outcome(failure="the loss is nan at step 7 of 40", kind="diverged"))
    second = finish(graph, store)
    assert second.schedule.failed[job.key] == snapshot("the loss is nan at step 7 of 40")
    assert not store.has(job.key)
    monkeypatch.setattr(dispatch_module, "source_hash", lambda module: "mended")
    finish(graph, store)
    assert store.has(job.key)
    assert store.failures.all() == {}


def test_an_ordinary_failure_is_tried_again(graph: Graph, store: Store, running: Dispatch) -> None:
    job = next_job(running)
    running.ended(job.key, Outcome(failure="ValueError: no luck (here.py:1)"))
    assert store.failures.all()[job.key].cause == snapshot("ValueError: no luck (here.py:1)")
    finish(graph, store)
    assert graph.missing(store) == {}


def test_a_stage_of_another_sweep_is_waited_for_and_not_done_twice(
    running: Dispatch, graph: Graph, store: Store, told: Told
) -> None:
    key = next(key for key, node in graph.stages.items() if node.function.label == "grow")
    with store.claims.hold(key, "sweep other, process 1 on elsewhere") as ours:
        assert ours
        mine = next_job(running)
        assert mine.key != key
        assert "deferred grow: at work: sweep other, process 1 on elsewhere" in told.lines
        job = Job(**{**vars(mine), "key": key, "params": graph.stages[key].params})
        assert run_here(job).elsewhere
    assert finish(graph, store).schedule.done >= {key}
    running.ended(mine.key, Outcome())
    finish_rest(running)
    assert "ended grow: None" in told.lines
    assert running.finished


def test_a_full_disk_halts_and_fails_nothing(running: Dispatch, told: Told, store: Store) -> None:
    job = next_job(running)
    running.ended(job.key, Outcome(halt="the store cannot be written: No space left on device"))
    assert running.next() is None
    assert running.finished
    assert running.halted == snapshot("the store cannot be written: No space left on device")
    assert (running.schedule.failed, store.failures.all()) == ({}, {})


def test_only_the_targets_asked_for_are_run(graph: Graph, store: Store) -> None:
    first = next(graph.targets)
    finish(graph, store, targets={first.key})
    assert [store.has(target.key) for target in graph.targets].count(True) == 1


class Listed:
    """Suggests given targets in order, and needs nothing but that they are done."""

    def __init__(self, targets: list[Stage]) -> None:
        self._left = list(targets)
        self._new: list[Stage] = []
        self._open: list[Stage] = []

    @property
    def under_way(self) -> int:
        return len(self._open)

    def begin(self, parallel: int) -> bool:
        if not self._left or len(self._open) >= parallel:
            return False
        self._new.append(self._left.pop(0))
        self._open.append(self._new[-1])
        return True

    def wanted(self, done, failed, kinds):
        self._open = [each for each in self._open if each.key not in done and each.key not in failed]
        new, self._new = self._new, []
        yield from new


def searching(graph: Graph, store: Store, search: Listed, parallel: int = 4) -> Dispatch:
    machine = Machine("cpu", capacity=lambda: NODE, alone=lambda request: NODE)
    return Dispatch(
        graph, store, machine=machine, save_seconds=60, observers=[], targets=[], searches=[search], parallel=parallel
    )


def test_suggestions_are_made_one_by_one_until_all_have_ended(graph: Graph, store: Store) -> None:
    search = Listed(list(graph.targets))
    running = searching(graph, store, search, parallel=1)
    assert search.under_way == 1
    finish_rest(running)
    assert running.finished
    assert all(store.has(target.key) for target in graph.targets)


def test_nothing_is_suggested_while_the_last_suggestion_waits_for_what_runs(graph: Graph, store: Store) -> None:
    of_one_trunk = list(graph.targets)[::2]
    search = Listed(of_one_trunk)
    running = searching(graph, store, search)
    trunk = next_job(running)
    assert running.next() is None
    assert search.under_way == 2  # the second one showed that there is nothing to do
    assert running.next() is None
    assert search.under_way == 2
    running.ended(trunk.key, run_here(trunk))
    jobs = list(itertools.islice(iter(running.next, None), 4))
    assert len(jobs) == 4
    for job in jobs:
        running.ended(job.key, run_here(job))
    finish_rest(running)
    assert all(store.has(target.key) for target in of_one_trunk)


def test_suggestions_fill_a_machine_that_has_room(graph: Graph, store: Store) -> None:
    search = Listed(list(graph.targets))
    running = searching(graph, store, search)
    assert [next_job(running).function.rpartition(":")[2] for _ in range(2)] == ["grow", "grow"]


def test_what_failed_for_one_suggestion_fails_for_the_next_at_once(graph: Graph, store: Store) -> None:
    search = Listed(list(graph.targets))
    running = searching(graph, store, search)
    while not running.finished:
        if job := running.next():
            broken = job.function.endswith("grow")
            running.ended(job.key, Outcome(failure="no trunk", kind="error") if broken else run_here(job))
    assert running.finished
    assert search.under_way == 0
    assert not store.all_keys()


def test_a_search_that_cannot_go_on_stops_the_run_with_its_reason(graph: Graph, store: Store) -> None:
    class Lost(Listed):
        def begin(self, parallel: int) -> bool:
            raise Halted("nothing fits")

    running = searching(graph, store, Lost([]))
    assert running.finished
    assert running.halted == "nothing fits"
