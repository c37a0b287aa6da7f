"""Run the graph in the current process, one stage after the other: for a debugger, or without Ray."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property, partial
from typing import Self

from sweeper.engine.dispatch import Dispatch, Machine
from sweeper.engine.worker import perform
from sweeper.errors import SweeperError
from sweeper.trainable.resources import Resources

WAIT_SECONDS = 0.2


class InlineExecutor:
    """See `sweeper.engine.executors.base.Executor`."""

    announcement = None
    can_grow = False
    slots = 1
    nodes: Sequence[Resources] = ()

    def __init__(self, *, address: str | None = None, max_concurrent: int | None = None) -> None:
        if address or max_concurrent:
            fix = "leave out --address and --max-concurrent, or choose another executor"
            raise SweeperError("--executor inline runs in this process", fix=fix)

    @cached_property
    def machine(self) -> Machine:
        """One stage at a time, whatever it requests."""
        import torch

        device = "cuda" if torch.cuda.is_available() else "cpu"
        return Machine(device, capacity=lambda: Resources(0, 0.0, 0), alone=lambda request: request)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def run(self, dispatch: Dispatch) -> None:
        """Run every missing stage here. KeyboardInterrupt passes; the store keeps what is done."""
        while not dispatch.finished:
            if job := dispatch.next():
                dispatch.ended(job.key, perform(job, partial(dispatch.progressed, job.key)))
            else:  # another sweep is at what is left
                time.sleep(WAIT_SECONDS)
