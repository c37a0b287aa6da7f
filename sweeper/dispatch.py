"""Between the schedule and whatever runs stages: jobs go out, outcomes come in, observers are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sweeper.perform import Job, Outcome
from sweeper.plan import Graph
from sweeper.schedule import Schedule
from sweeper.stage import Stage
from sweeper.store import Store


class Observer(Protocol):
    """Is told what happens to the stages of a sweep, in the driver, one call at a time."""

    def started(self, node: Stage) -> None:
        """The stage was handed to a worker."""

    def progressed(self, node: Stage, step: int, total: int) -> None:
        """The stage reached a step."""

    def ended(self, node: Stage, failure: str | None) -> None:
        """The stage's artifact is in the store, or it failed with a cause."""


class Dispatch:
    """One sweep's missing stages, handed out in order. Executors see nothing else of it.

    Args:
        graph: what is to be finished.
        store: where artifacts are, and go.
        device: torch device of stages that ask for a share of a GPU.
        save_seconds: how often a stage saves its progress.
        observers: told of every event.
    """

    def __init__(
        self, graph: Graph, store: Store, *, device: str, save_seconds: float, observers: Sequence[Observer]
    ) -> None:
        self.schedule = Schedule(graph.missing(store))
        self.traces: dict[str, str] = {}
        """Tracebacks of failed stages by key."""
        self._graph = graph
        self._store = store
        self._device = device
        self._save_seconds = save_seconds
        self._observers = observers

    @property
    def finished(self) -> bool:
        """Whether every stage is done or failed."""
        return self.schedule.finished

    def next(self) -> Job | None:
        """The next job, or None while every ready stage is running."""
        node = self.schedule.take()
        if node is None:
            return None
        for observer in self._observers:
            observer.started(node)
        function = node.function
        return Job(
            key=node.key,
            function=function.name,
            params=node.params,
            inputs=node.input_keys,
            store=str(self._store.root),
            sweep=self._graph.first_space[node.key],
            save_seconds=self._save_seconds,
            cpus=function.resources.cpus,
            gpus=function.resources.gpus if self._device == "cuda" else 0.0,
        )

    def progressed(self, key: str, step: int, total: int) -> None:
        """A running stage reached a step."""
        for observer in self._observers:
            observer.progressed(self._graph.stages[key], step, total)

    def ended(self, key: str, outcome: Outcome) -> None:
        """A job ended."""
        if outcome.damaged:
            self.schedule.lose(key, self._graph.stages[outcome.damaged])
        elif outcome.failure:
            self.schedule.fail(key, outcome.failure)
        else:
            self.schedule.complete(key)
        if outcome.trace:
            self.traces[key] = outcome.trace
        if outcome.damaged and key not in self.schedule.failed:
            return
        for observer in self._observers:
            observer.ended(self._graph.stages[key], self.schedule.failed.get(key))
