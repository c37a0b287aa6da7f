"""Which stage is next: the one with the longest remaining path among those whose inputs are ready."""

from __future__ import annotations

import heapq
from collections.abc import Mapping

from sweeper.plan import dependents
from sweeper.stage import Stage

MAX_ATTEMPTS = 3


class Schedule:
    """The state of a sweep: waiting, ready, running, done, failed. Knows nothing of how stages are run.

    Args:
        missing: stages that have to run, inputs before what needs them.
    """

    def __init__(self, missing: Mapping[str, Stage]) -> None:
        self.stages = dict(missing)
        self.running: set[str] = set()
        self.done: set[str] = set()
        self.failed: dict[str, str] = {}
        """Cause by key. A stage above a failed one has the cause of that one."""
        self._users = dependents(self.stages)
        self._path = self._remaining_path()
        self._waits_for = {
            key: {parent.key for parent in node.parents()} & self.stages.keys() for key, node in self.stages.items()
        }
        self._attempts = dict.fromkeys(self.stages, 0)
        self._ready: list[tuple[float, int, str]] = []
        self._order = {key: index for index, key in enumerate(self.stages)}
        for key, waits in self._waits_for.items():
            if not waits:
                self._push(key)

    @property
    def finished(self) -> bool:
        """Whether nothing is ready or running: every stage is done or failed."""
        return not self._ready and not self.running

    def take(self) -> Stage | None:
        """The next stage, now running; None while nothing is ready."""
        if not self._ready:
            return None
        _, _, key = heapq.heappop(self._ready)
        self.running.add(key)
        self._attempts[key] += 1
        return self.stages[key]

    def complete(self, key: str) -> None:
        """The artifact of a running stage is in the store: what waited for it alone becomes ready."""
        self.running.discard(key)
        self.done.add(key)
        for user in self._users[key]:
            if key in self._waits_for[user]:
                self._waits_for[user].discard(key)
                if not self._waits_for[user] and user not in self.failed:
                    self._push(user)

    def fail(self, key: str, cause: str) -> None:
        """A running stage failed: it and everything above it."""
        self.running.discard(key)
        pending = [key]
        while pending:
            each = pending.pop()
            if each not in self.failed:
                self.failed[each] = cause
                pending += self._users[each]

    def lose(self, key: str, lost: Stage) -> None:
        """A running stage found its input damaged: the input runs again, then the stage.

        After MAX_ATTEMPTS at the same stage it fails instead.
        """
        if self._attempts[key] >= MAX_ATTEMPTS:
            self.fail(key, f"its input {lost.function.label} {lost.key[:12]} is damaged again and again")
            return
        self.running.discard(key)
        self._waits_for[key].add(lost.key)
        self._users.setdefault(lost.key, []).append(key)
        if lost.key in self.done or lost.key not in self.stages:
            self.done.discard(lost.key)
            self.stages[lost.key] = lost
            self._attempts.setdefault(lost.key, 0)
            self._order.setdefault(lost.key, len(self._order))
            self._path[lost.key] = lost.work + self._path[key]
            self._waits_for[lost.key] = set()
            self._push(lost.key)

    def _push(self, key: str) -> None:
        heapq.heappush(self._ready, (-self._path[key], self._order[key], key))

    def _remaining_path(self) -> dict[str, float]:
        path: dict[str, float] = {}
        for key in reversed(self.stages):
            path[key] = self.stages[key].work + max((path[user] for user in self._users[key]), default=0.0)
        return path
