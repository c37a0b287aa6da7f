"""The graph in the current process, one stage after the other: for a debugger, or without Ray."""

from __future__ import annotations

from functools import partial

from sweeper.dispatch import Dispatch
from sweeper.perform import perform


def run_inline(dispatch: Dispatch) -> None:
    """Run every missing stage here. KeyboardInterrupt passes; the store keeps what is done."""
    while job := dispatch.next():
        dispatch.ended(job.key, perform(job, partial(dispatch.progressed, job.key)))


def inline_device() -> str:
    """Torch device of this process."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
