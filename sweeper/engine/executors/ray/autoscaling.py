"""The size that an autoscaled cluster may grow to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from ray._private.ray_constants import DEBUG_AUTOSCALING_STATUS
from ray.experimental.internal_kv import _internal_kv_get

from sweeper.trainable.resources import Resources

CONFIG = Path.home() / "ray_bootstrap_config.yaml"
"""Path of the cluster's configuration on the head, as written by ``ray up`` in JSON."""


def may_come() -> list[Resources]:
    """Return the workers that the connected cluster may have at most, the largest ones; none without an autoscaler.

    That is known where the driver runs on the head.
    """
    if not _internal_kv_get(DEBUG_AUTOSCALING_STATUS) or not CONFIG.exists():
        return []
    config = json.loads(CONFIG.read_text())
    types = [each for name, each in config["available_node_types"].items() if name != config["head_node_type"]]
    nodes = [resources_of(each["resources"]) for each in types for _ in range(each["max_workers"])]
    return sorted(nodes, reverse=True)[: config["max_workers"]]


def resources_of(amounts: Mapping[str, float]) -> Resources:
    """Return the resources of a node or a cluster from Ray's description."""
    return Resources(int(amounts.get("CPU", 0)), amounts.get("GPU", 0.0), int(amounts.get("memory", 0)))
