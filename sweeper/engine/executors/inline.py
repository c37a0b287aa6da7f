"""The graph in the current process, one stage after the other: for a debugger, or without Ray."""

from __future__ import annotations

import time
from functools import partial

from sweeper.engine.dispatch import Dispatch, Machine
from sweeper.engine.worker import perform
from sweeper.trainable.resources import Resources

WAIT_SECONDS = 0.2


def run_inline(dispatch: Dispatch) -> None:
    """Run every missing stage here. KeyboardInterrupt passes; the store keeps what is done."""
    while not dispatch.finished:
        if job := dispatch.next():
            dispatch.ended(job.key, perform(job, partial(dispatch.progressed, job.key)))
        else:  # another sweep is at what is left
            time.sleep(WAIT_SECONDS)


def this_process() -> Machine:
    """One stage at a time, whatever it asks for."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    return Machine(device, capacity=lambda: Resources(0, 0.0, 0), alone=lambda request: request)
