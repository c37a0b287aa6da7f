"""The order of stages: next is the one with the longest remaining path among those whose inputs are ready."""

from __future__ import annotations

import heapq
import time
from collections import Counter
from collections.abc import Callable, Mapping

from sweeper.trainable.resources import Resources
from sweeper.trainable.stage import Stage

MAX_LOSSES = 3
"""How often a stage may find the same input damaged before it fails."""
PASSES = 16
"""How often smaller stages may overtake one that does not fit yet, before nothing starts ahead of it."""


class Schedule:
    """The state of a sweep: waiting, ready, deferred, running, done, failed. Does not know how stages are run.

    Args:
        missing: stages that have to run, inputs before what needs them.
        request: what a stage asks for; by default what it declares.
        clock: seconds, for deferred stages.
    """

    def __init__(
        self,
        missing: Mapping[str, Stage],
        request: Callable[[Stage], Resources] = lambda node: node.function.resources,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stages: dict[str, Stage] = {}
        self.running: set[str] = set()
        self.done: set[str] = set()
        self.failed: dict[str, str] = {}
        """Cause by key. A stage that needs a failed one has its cause."""
        self._clock = clock
        self._request = request
        self._enlarged: dict[str, Resources] = {}
        self._users: dict[str, list[str]] = {}
        self._path: dict[str, float] = {}
        self._waits_for: dict[str, set[str]] = {}
        self._losses: Counter[tuple[str, str]] = Counter()
        self._passes: Counter[str] = Counter()
        self._ready: dict[Resources, list[tuple[float, int, str]]] = {}
        self._deferred: list[tuple[float, str]] = []
        self._order: dict[str, int] = {}
        self.add(missing)

    def add(self, missing: Mapping[str, Stage]) -> None:
        """Add stages that have to run, inputs before what needs them; known stages stay as they are."""
        new = {key: node for key, node in missing.items() if key not in self.stages}
        self.stages |= new
        for key, node in new.items():
            parents = {parent.key for parent in node.parents()} & self.stages.keys()
            self._order[key] = len(self._order)
            self._users[key] = []
            self._waits_for[key] = parents - self.done
            for parent in parents:
                self._users[parent].append(key)
        for key in reversed(new):
            self._path[key] = new[key].work + max((self._path[user] for user in self._users[key]), default=0.0)
        for key, node in new.items():
            if cause := next((self.failed[each.key] for each in node.parents() if each.key in self.failed), None):
                self.failed[key] = cause
            elif not self._waits_for[key]:
                self._push(key)

    @property
    def is_idle(self) -> bool:
        """True if no stage could start now, however much is free."""
        return not any(self._ready.values())

    @property
    def finished(self) -> bool:
        """True if nothing is ready, deferred or running: every stage is done or failed."""
        return self.is_idle and not self._deferred and not self.running

    def request(self, key: str) -> Resources:
        """Return the resources that a stage requests."""
        return self._enlarged.get(key) or self._request(self.stages[key])

    def take(self, fits: Callable[[Resources], bool] = lambda _: True) -> Stage | None:
        """Return the next stage whose request ``fits``, now running; None while none is ready.

        One that does not fit is overtaken by smaller ones PASSES times; then the machine is kept free for it.
        """
        while self._deferred and self._deferred[0][0] <= self._clock():
            self._push(heapq.heappop(self._deferred)[1])
        overtaken: list[str] = []
        for first, request in sorted((heap[0], request) for request, heap in self._ready.items() if heap):
            key = first[2]
            if fits(request):
                heapq.heappop(self._ready[request])
                self._passes.update(overtaken)
                self.running.add(key)
                return self.stages[key]
            if self._passes[key] >= PASSES:
                return None
            overtaken.append(key)
        return None

    def defer(self, key: str, seconds: float, request: Resources | None = None) -> None:
        """Defer a running stage: it is ready again after some seconds, with another request if given."""
        self.running.discard(key)
        if request:
            self._enlarged[key] = request
        heapq.heappush(self._deferred, (self._clock() + seconds, key))

    def complete(self, key: str) -> None:
        """Mark a running stage as done: stages that waited only for it become ready."""
        self.running.discard(key)
        self.done.add(key)
        for user in self._users[key]:
            if key in self._waits_for[user]:
                self._waits_for[user].discard(key)
                if not self._waits_for[user] and user not in self.failed:
                    self._push(user)

    def fail(self, key: str, cause: str) -> None:
        """Mark a running stage and everything that needs it as failed."""
        self.running.discard(key)
        pending = [key]
        while pending:
            each = pending.pop()
            if each not in self.failed:
                self.failed[each] = cause
                pending += self._users[each]

    def invalidate(self, key: str, lost: Stage) -> None:
        """Return a running stage to the queue because its input is damaged: the input runs again, then the stage.

        At the MAX_LOSSES-th time it fails instead, and also where the input has failed to be made again.
        """
        self._losses[key, lost.key] += 1
        if cause := self.failed.get(lost.key):
            self.fail(key, cause)
            return
        if self._losses[key, lost.key] >= MAX_LOSSES:
            self.fail(key, f"its input {lost.function.label} {lost.key[:12]} is damaged again and again")
            return
        self.running.discard(key)
        self._waits_for[key].add(lost.key)
        self._users.setdefault(lost.key, []).append(key)
        if lost.key in self.done or lost.key not in self.stages:
            self.done.discard(lost.key)
            self.stages[lost.key] = lost
            self._order.setdefault(lost.key, len(self._order))
            self._path[lost.key] = lost.work + self._path[key]
            self._waits_for[lost.key] = set()
            self._push(lost.key)

    def _push(self, key: str) -> None:
        heapq.heappush(self._ready.setdefault(self.request(key), []), (-self._path[key], self._order[key], key))
