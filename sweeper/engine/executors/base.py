"""The executor contract, and how executors are found by the name of ``--executor``."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

from sweeper.engine.dispatch import Dispatch, Machine
from sweeper.trainable.plugins import load_plugin
from sweeper.trainable.resources import Resources

BUILT_IN = {
    "inline": "sweeper.engine.executors.inline:InlineExecutor",
    "ray": "sweeper.engine.executors.ray.executor:RayExecutor",
}


class Executor(Protocol):
    """Runs stages while it is open, as a context manager.

    Packages add their own as entry points of the group ``sweeper.executors``, which name an `ExecutorFactory`.
    """

    @property
    def announcement(self) -> str | None:
        """Line that is printed before it opens; None where opening takes no time."""

    @property
    def can_grow(self) -> bool:
        """True if nodes may join later that are larger than the present ones."""

    @property
    def machine(self) -> Machine:
        """The machine that stages run on. Read while the executor is open, as are `slots` and `nodes`."""

    @property
    def slots(self) -> int:
        """Maximum number of concurrent stages."""

    @property
    def nodes(self) -> Sequence[Resources]:
        """Resources of each node, on one of which a stage must fit; empty if any stage fits."""

    def __enter__(self) -> Self:
        """Open it. Raises SweeperError."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop what still runs and free what was opened."""

    def run(self, dispatch: Dispatch) -> None:
        """Take jobs from ``dispatch`` and return their outcomes until it is finished. Raises ClusterLost."""


class ExecutorFactory(Protocol):
    """Makes an executor from the options of a run. Nothing is opened yet."""

    def __call__(self, *, address: str | None, max_concurrent: int | None) -> Executor:
        """Return the executor. Raises SweeperError for an option that it does not take."""


def make_executor(name: str, *, address: str | None, max_concurrent: int | None) -> Executor:
    """Return the executor called ``name``, not yet opened.

    Raises:
        SweeperError: for an unknown name, and for options that the executor does not take.
    """
    factory: ExecutorFactory = load_plugin("executor", name, BUILT_IN)
    return factory(address=address, max_concurrent=max_concurrent)
