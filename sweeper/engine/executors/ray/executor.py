"""Ray as an executor: opening it connects to a cluster or starts one here. Ray is imported only then."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from sweeper.engine.dispatch import Dispatch, Machine
from sweeper.trainable.resources import Resources


class RayExecutor:
    """See `sweeper.engine.executors.base.Executor`.

    Args:
        address: of the cluster, ``auto`` or ``HOST:PORT``; None to start one on this machine.
        max_concurrent: stages at a time at most; None for one per CPU.
    """

    machine: Machine
    slots: int
    nodes: Sequence[Resources]

    def __init__(self, *, address: str | None = None, max_concurrent: int | None = None) -> None:
        self._address = address
        self._max_concurrent = max_concurrent
        self._stack = ExitStack()

    @property
    def announcement(self) -> str:
        """Line that is printed first, as starting Ray takes seconds."""
        return f"starting Ray{' on this machine' if self._address is None else f' at {self._address}'}"

    @property
    def can_grow(self) -> bool:
        """True if other machines may join the cluster."""
        return self._address is not None

    def __enter__(self) -> Self:
        from sweeper.engine.executors.ray.cluster import cluster
        from sweeper.engine.executors.ray.nodes import machine, node_resources

        with ExitStack() as stack:
            stack.enter_context(cluster(self._address))
            self.machine = machine()
            self.slots = self._max_concurrent or max(1, self.machine.capacity().cpus)
            self.nodes = node_resources()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def run(self, dispatch: Dispatch) -> None:
        """Run every missing stage on the cluster. Raises ClusterLost."""
        from sweeper.engine.executors.ray.tune import run_on_ray

        run_on_ray(dispatch, self.slots)
