"""The nodes of the connected Ray cluster: their resources, and how to run a function on each of them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import reduce
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from sweeper.engine.dispatch import Machine
from sweeper.engine.executors.ray.autoscaling import may_come, resources_of
from sweeper.trainable.resources import Resources

CAPACITY_SECONDS = 1.0
NODE_SECONDS = 180.0
"""Time after which a node counts as not responding; most of it is for starting a process there."""


def machine() -> Machine:
    """Return the connected cluster as a machine, with what it may grow to."""
    device = "cuda" if any(node.gpus for node in node_resources()) else "cpu"
    return Machine(device, _Capacity(), _alone)


def node_resources() -> list[Resources]:
    """Return the resources of every living node, and of every node that may join."""
    return [*(resources_of(node["Resources"]) for node in ray.nodes() if node["Alive"]), *may_come()]


class _Capacity:
    """Returns the resources of the cluster, read once a second at most, or those it may grow to on request."""

    def __init__(self) -> None:
        self._asked_at = -1.0
        self._known = Resources(0, 0.0, 0)
        self._grown = reduce(Resources.plus, may_come(), self._known)

    def __call__(self) -> Resources:
        if time.monotonic() - self._asked_at > CAPACITY_SECONDS:
            now, grown = resources_of(ray.cluster_resources()), self._grown
            self._known = Resources(max(now.cpus, grown.cpus), max(now.gpus, grown.gpus), max(now.memory, grown.memory))
            self._asked_at = time.monotonic()
        return self._known


def on_every_node(function: Callable[..., Any], *args: Any) -> dict[str, Any]:
    """Run ``function`` on every living node of the connected cluster; return its results by the node's name.

    It takes and returns plain data. Where it raises or does not answer in time, its value is the reason, a text.
    """
    remote = ray.remote(num_cpus=0, max_retries=0)(function)
    pending = {}
    for node in sorted(ray.nodes(), key=lambda node: str(node["NodeManagerHostname"])):
        if node["Alive"]:
            there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            name = f"{node['NodeManagerHostname']} {node['NodeID'][:8]}"  # a machine may be several nodes
            pending[name] = remote.options(scheduling_strategy=there).remote(*args)
    until = time.monotonic() + NODE_SECONDS
    return {name: _answer(each, until) for name, each in pending.items()}


def _answer(pending: Any, until: float) -> Any:
    try:
        return ray.get(pending, timeout=max(0.0, until - time.monotonic()))
    except ray.exceptions.GetTimeoutError:
        ray.cancel(pending, force=True)
        return f"no answer within {NODE_SECONDS:.0f} s"
    except ray.exceptions.RayError as error:
        return (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()


def _alone(request: Resources) -> Resources:
    if request.gpus:
        return Resources(request.cpus, float(math.ceil(request.gpus)), request.memory)
    return Resources(max(node.cpus for node in node_resources()), 0.0, request.memory)
