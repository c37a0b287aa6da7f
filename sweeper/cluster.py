"""The Ray cluster that a sweep runs on: one that is there, or one on this machine for the duration."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("RAY_AUTH_MODE", "token")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from sweeper.errors import SweeperError

KNOCK_SECONDS = 5.0
NODE_SECONDS = 180.0
"""A node that has not answered by then is taken for one that cannot; starting a process on it is the most of it."""
OBJECT_STORE_BYTES = 100 * 2**20
"""Artifacts go through the store; Ray's own memory, a third of the machine by default, carries next to nothing."""


@contextlib.contextmanager
def cluster(address: str | None) -> Iterator[None]:
    """Connect to a Ray cluster, or start one on this machine for the duration.

    Raises SweeperError when the address cannot be reached.
    """
    if address is None:
        _private_token()
    elif ":" in address.removeprefix("ray://"):
        _knock(address)
    try:
        here = {"include_dashboard": False, "object_store_memory": OBJECT_STORE_BYTES}
        ray.init(address=address or "local", log_to_driver=False, logging_level=logging.CRITICAL,
                 **(here if address is None else {}))  # fmt: skip
    except (ConnectionError, ValueError, RuntimeError) as error:
        if address is None:
            raise SweeperError(f"Ray does not start on this machine: {error}", fix="--inline needs no Ray") from None
        raise _no_cluster(address) from None
    try:
        yield
    finally:
        ray.shutdown()


def cluster_device() -> str:
    """Torch device of stages that ask for a share of a GPU."""
    return "cuda" if ray.cluster_resources().get("GPU", 0) else "cpu"


def cluster_slots() -> int:
    """Stages that the connected cluster can run at a time: one per CPU."""
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def on_every_node(function: Callable[..., Any], *args: Any) -> dict[str, Any]:
    """What ``function`` returns on every living node of the connected cluster, by the node's name.

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


def _knock(address: str) -> None:
    """Ray itself waits for minutes where nothing listens. Raises SweeperError after a few seconds."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=KNOCK_SECONDS).close()
    except (OSError, ValueError):
        raise _no_cluster(address) from None


def _no_cluster(address: str) -> SweeperError:
    fix = "start one with `ray up cluster.yaml`, or leave --address out to use this machine"
    return SweeperError(f"no Ray cluster answers at {address}", fix=fix)


def _private_token() -> None:
    """Make sure that the token by which Ray's processes know each other is readable by its owner alone."""
    from ray._private.authentication import authentication_token_setup as setup

    logging.getLogger(setup.__name__).setLevel(logging.WARNING)

    token = Path.home() / ".ray" / "auth_token"
    if not token.exists() and not os.environ.get("RAY_AUTH_TOKEN") and not os.environ.get("RAY_AUTH_TOKEN_PATH"):
        setup.generate_and_save_token()
    if token.exists():
        token.chmod(0o600)
