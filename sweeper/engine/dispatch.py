"""Connects the schedule with an executor: hands out jobs, takes outcomes, notifies observers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from sweeper.engine.observers import Observer
from sweeper.engine.schedule import Schedule
from sweeper.engine.worker import Job, Outcome
from sweeper.planning.graph import Graph, collect
from sweeper.store.base import Store, Unreachable
from sweeper.store.failures import Failure, Kind
from sweeper.trainable.provenance import code_of, repository
from sweeper.trainable.resources import Resources
from sweeper.trainable.source import source_hash
from sweeper.trainable.stage import Stage

BACKOFF = (1.0, 5.0, 25.0)
"""Seconds before a stage whose worker was lost is tried again; afterwards it fails."""
ELSEWHERE_SECONDS = 1.0
"""Interval for looking again at a stage that another sweep is running."""


class Halted(Exception):
    """A search cannot continue; the message says why."""


class Search(Protocol):
    """Suggests trials while stages run, and the stages to run next for them."""

    @property
    def under_way(self) -> int:
        """Number of suggestions that have not ended."""

    def begin(self, parallel: int) -> bool:
        """Start another suggestion, unless so many are in flight; return True if there was one. Raises Halted."""

    def wanted(self, done: Collection[str], failed: Mapping[str, str], kinds: Mapping[str, Kind]) -> Iterator[Stage]:
        """Return the last stages of what is to run now, each of them once. Raises Halted.

        Args:
            done: keys of stages that have been run.
            failed: cause by key of those that could not.
            kinds: of the failures, by key of the stage at fault.
        """


@dataclass(frozen=True)
class Machine:
    """The machine or cluster that stages run on."""

    device: str
    """Torch device of stages that ask for a share of a GPU."""
    capacity: Callable[[], Resources]
    """Return the resources of all nodes together, now: nodes come and go."""
    alone: Callable[[Resources], Resources]
    """Request that reserves a device for one stage: a whole GPU, or all CPUs of a node."""

    def granted(self, request: Resources) -> Resources:
        """Return a request as it applies here: without a share of a GPU if there is none."""
        return request if self.device == "cuda" else Resources(request.cpus, 0.0, request.memory)


class Dispatch:
    """The missing stages of one sweep, handed out in order. Executors see nothing else of it.

    Args:
        graph: what is to be finished.
        store: where artifacts are, and go.
        machine: what there is to run them on.
        save_seconds: how often a stage saves its progress.
        observers: told of every event.
        targets: keys of the last stages of the trials to be finished; all by default.
        searches: what suggests trials of the graph while it runs.
        parallel: suggestions of each search under way at most.
    """

    def __init__(
        self,
        graph: Graph,
        store: Store,
        *,
        machine: Machine,
        save_seconds: float,
        observers: Sequence[Observer],
        targets: Collection[str] | None = None,
        searches: Sequence[Search] = (),
        parallel: int = 1,
    ) -> None:
        self.traces: dict[str, str] = {}
        """Tracebacks of failed stages by key."""
        self.halted: str | None = None
        """Reason why no more stages are handed out."""
        self._graph = graph
        self._store = store
        self._machine = machine
        self.schedule = Schedule(graph.missing(store, targets), self._request)
        self._save_seconds = save_seconds
        self._observers = observers
        self._known = store.failures.all()
        self._used = Resources(0, 0.0, 0)
        self._lost: Counter[tuple[str, str | None]] = Counter()
        self._alone: set[str] = set()
        self._kinds: dict[str, Kind] = {}
        self._searches = searches
        self._parallel = parallel
        self._must_wait = False
        self._grow()

    @property
    def finished(self) -> bool:
        """True if every stage is done or failed, or nothing more is to be started."""
        return not self.schedule.running if self.halted else self.schedule.finished

    def next(self) -> Job | None:
        """Return the next job; None while every ready stage is running, or requests more than is free."""
        self._grow()
        free = self._machine.capacity().without(self._used)
        while not self.halted:
            node = self.schedule.take(lambda request: not self.schedule.running or request.fits(free))
            if node is None:
                return None
            self._used = self._used.plus(self.schedule.request(node.key))
            for observer in self._observers:
                observer.started(node)
            try:
                owner = self._store.claims.owner(node.key)
                outcome = None if owner else self._foregone(node)
            except Unreachable as error:
                owner, outcome = None, Outcome(halt=error.message)
            if owner:
                self._defer(node, ELSEWHERE_SECONDS, f"at work: {owner}")
            elif outcome:
                self.ended(node.key, outcome)
            else:
                return self._job(node)
        return None

    def progressed(self, key: str, step: int, total: int) -> None:
        """Report that a running stage has reached a step."""
        for observer in self._observers:
            observer.progressed(self._graph.stages[key], step, total)

    def ended(self, key: str, outcome: Outcome) -> None:
        """Report that a job has ended."""
        node = self._graph.stages[key]
        if outcome.halt:
            self.halt(outcome.halt)
            self._defer(node, 0.0, outcome.halt)
        elif outcome.elsewhere:
            self._defer(node, ELSEWHERE_SECONDS, "another sweep is at it")
        elif outcome.damaged:
            self._input_damaged(node, self._graph.stages[outcome.damaged])
        elif outcome.failure and outcome.kind == "out of memory" and key not in self._alone:
            self._alone.add(key)
            self._defer(node, 0.0, f"{outcome.failure}; once more, alone", self._machine.alone(self._request(node)))
        elif outcome.failure:
            self._fail(node, outcome.failure, outcome.kind, outcome.trace)
        else:
            self._release(key)
            self.schedule.complete(key)
            self._tell_ended(node, None)
        self._grow()

    def lost(self, key: str, why: str) -> None:
        """Report that the worker of a running stage is gone: the stage is tried again after a while.

        Only losses at which nothing more was saved than at the one before count against it.
        """
        try:
            at = (key, self._store.latest_progress(key))
        except Unreachable as error:
            self.halt(error.message)
            at = (key, None)
        self._lost[at] += 1
        node, times = self._graph.stages[key], self._lost[at]
        if times > len(BACKOFF):
            self._fail(node, f"{why}, {times} times at the same place", "lost", None)
        else:
            self._defer(node, BACKOFF[times - 1], f"{why}; again in {BACKOFF[times - 1]:.0f} s")
        self._grow()

    def halt(self, why: str) -> None:
        """Start nothing more."""
        self.halted = self.halted or why

    def _grow(self) -> None:
        """Take in the stages that searches want next, and make suggestions when nothing is ready.

        The later a suggestion is made the more is known. One that has to wait for a stage that is running shows that
        the next would have to as well: none is made then until something has ended.
        """
        try:
            self._take_wanted()
            while not self.halted and self.schedule.is_idle and not self._must_wait:
                before = self._under_way
                begun = any(each.begin(self._parallel) for each in self._searches)
                self._take_wanted()
                if not begun:
                    return
                is_kept_waiting = self.schedule.is_idle and self._under_way > before
                self._must_wait = is_kept_waiting and bool(self.schedule.running)
        except Halted as error:
            self.halt(str(error))
        except Unreachable as error:
            self.halt(error.message)

    @property
    def _under_way(self) -> int:
        return sum(each.under_way for each in self._searches)

    def _take_wanted(self) -> None:
        for each in self._searches:
            for stage in each.wanted(self.schedule.done, self.schedule.failed, self._kinds):
                self._add(stage)

    def _add(self, stage: Stage) -> None:
        """Schedule a stage and its missing inputs."""
        missing = collect(stage, {}, self._store.existing(collect(stage, {})))
        self.schedule.add(missing)
        for observer in self._observers:
            observer.added(missing)

    def _request(self, node: Stage) -> Resources:
        return self._machine.granted(self._graph.resources(node))

    def _job(self, node: Stage) -> Job:
        return Job(
            key=node.key,
            function=node.function.location,
            params=node.params,
            inputs=node.input_keys,
            store=self._store.place,
            sweep=self._graph.first_space[node.key],
            code=code_of(node.function.module),
            repository=repository(node.function.module),
            save_seconds=self._save_seconds,
            request=self._request(node),
            place=self.schedule.request(node.key),
        )

    def _foregone(self, node: Stage) -> Outcome | None:
        """Return the outcome of a stage that need not run: done elsewhere, or diverged before with the same code."""
        if self._store.has(node.key):
            return Outcome()
        known = self._known.get(node.key)
        if known and known.kind == "diverged" and known.source == source_hash(node.function.module):
            return Outcome(failure=known.cause, kind="diverged")
        return None

    def _input_damaged(self, node: Stage, lost: Stage) -> None:
        self._release(node.key)
        self.schedule.invalidate(node.key, lost)
        failure = self.schedule.failed.get(node.key)
        if failure:
            self._record(node, failure, "error")
            self._tell_ended(node, failure)
        else:
            self._tell_deferred(node, f"its input {lost.function.label} {lost.key[:12]} is damaged and made again")

    def _fail(self, node: Stage, cause: str, kind: Kind, trace: str | None) -> None:
        self._release(node.key)
        self._kinds[node.key] = kind
        self.schedule.fail(node.key, cause)
        if trace:
            self.traces[node.key] = trace
        self._record(node, cause, kind)
        self._tell_ended(node, cause)

    def _defer(self, node: Stage, seconds: float, why: str, request: Resources | None = None) -> None:
        self._release(node.key)
        self.schedule.defer(node.key, seconds, request)
        self._tell_deferred(node, why)

    def _release(self, key: str) -> None:
        self._must_wait = False
        self._used = self._used.without(self.schedule.request(key))

    def _record(self, node: Stage, cause: str, kind: Kind) -> None:
        failure = Failure(
            kind=kind,
            cause=cause,
            stage=node.function.name,
            source=source_hash(node.function.module),
            sweep=self._graph.first_space[node.key],
            when=datetime.now(UTC).isoformat(),
        )
        try:
            self._store.failures.record(node.key, failure)
        except Unreachable as error:
            self.halt(error.message)
        except OSError as error:
            self.halt(f"the store cannot be written: {error.strerror}")

    def _tell_ended(self, node: Stage, failure: str | None) -> None:
        for observer in self._observers:
            observer.ended(node, failure)

    def _tell_deferred(self, node: Stage, why: str) -> None:
        for observer in self._observers:
            observer.deferred(node, why)
