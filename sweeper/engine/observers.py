"""Observers of the stages of a sweep, in the driver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, Self

from sweeper.trainable.stage import Stage


class Observer:
    """Receives the events of a sweep's stages, one call at a time. Methods that are not overridden do nothing."""

    def added(self, stages: Mapping[str, Stage]) -> None:
        """A search has added these stages, by key; some may be known already."""

    def started(self, node: Stage) -> None:
        """The stage was handed to a worker."""

    def progressed(self, node: Stage, step: int, total: int) -> None:
        """The stage reached a step."""

    def deferred(self, node: Stage, why: str) -> None:
        """The stage is deferred, with the reason."""

    def ended(self, node: Stage, failure: str | None) -> None:
        """The stage's artifact is in the store, or it failed with a cause."""


class Slow(Protocol):
    """Receives ended stages and may be slow, such as a tracker."""

    def ended(self, node: Stage, failure: str | None) -> None:
        """See `Observer`."""


class BackgroundObserver(Observer):
    """Runs slow observers on a background thread, in order, so that no free slot waits for a database.

    Leaving it waits until all is passed on, and raises what was raised there.
    """

    def __init__(self, slow: Sequence[Slow]) -> None:
        self._slow = slow
        self._thread = ThreadPoolExecutor(1)
        self._calls: list[Future[None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._thread.shutdown()
        finally:  # after a second Ctrl-C the rest is dropped
            self._thread.shutdown(cancel_futures=True)
        for call in self._calls:
            call.result()

    def ended(self, node: Stage, failure: str | None) -> None:
        """See `Observer`."""
        self._calls += [self._thread.submit(each.ended, node, failure) for each in self._slow]
