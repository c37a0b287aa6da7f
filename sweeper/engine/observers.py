"""Observers that take their time are told on a thread of their own, so that no free slot waits for a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from sweeper.engine.dispatch import Observer
from sweeper.trainable.stage import Stage


class Aside:
    """An observer that tells others what ended, later and in order, one call at a time. Closed when all is told."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers
        self._thread = ThreadPoolExecutor(1)
        self._calls: list[Future[None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._thread.shutdown()
        finally:  # after a second Ctrl-C the rest is not told
            self._thread.shutdown(cancel_futures=True)
        for call in self._calls:
            call.result()

    def added(self, stages: Mapping[str, Stage]) -> None:
        """See `sweeper.engine.dispatch.Observer`."""

    def started(self, node: Stage) -> None:
        """See `sweeper.engine.dispatch.Observer`."""

    def progressed(self, node: Stage, step: int, total: int) -> None:
        """See `sweeper.engine.dispatch.Observer`."""

    def put_off(self, node: Stage, why: str) -> None:
        """See `sweeper.engine.dispatch.Observer`."""

    def ended(self, node: Stage, failure: str | None) -> None:
        """See `sweeper.engine.dispatch.Observer`."""
        self._calls += [self._thread.submit(observer.ended, node, failure) for observer in self._observers]
