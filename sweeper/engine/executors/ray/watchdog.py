"""Watch whether the connected Ray cluster is alive."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Self

import ray

from sweeper.errors import ClusterLost

BEAT_SECONDS = 1.0
SILENT_SECONDS = 20.0
"""Ray itself ends the process when its control service is gone for a minute."""


class Pulse:
    """Watches the connected cluster: without its node manager or control service, Tune waits forever."""

    def __enter__(self) -> Self:
        self._node = ray.get_runtime_context().get_node_id()
        self._answered, self._alive = time.monotonic(), True
        self._ended = threading.Event()
        threading.Thread(target=self._beat, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()

    def check(self) -> None:
        """Check that the cluster is alive. Raises ClusterLost."""
        if not self._alive:
            raise ClusterLost("Ray's node manager (raylet) on this machine died")
        if time.monotonic() - self._answered > SILENT_SECONDS:
            raise ClusterLost(f"Ray's control service (GCS) has not answered for {SILENT_SECONDS:.0f} s")

    def _beat(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            with contextlib.suppress(Exception):  # silence says enough
                nodes = {node["NodeID"]: node["Alive"] for node in ray.nodes()}
                self._answered, self._alive = time.monotonic(), nodes.get(self._node, False)
