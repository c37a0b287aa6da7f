"""A cluster whose nodes come when they are asked for: which comes next, and what all of them would have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ray._private.ray_constants import DEBUG_AUTOSCALING_STATUS
from ray.autoscaler._private.resource_demand_scheduler import _resource_based_utilization_scorer
from ray.experimental.internal_kv import _internal_kv_get

from sweeper.resources import Resources, resources_of

CONFIG = Path.home() / "ray_bootstrap_config.yaml"
"""Where ``ray up`` leaves the cluster's configuration on the head, as JSON."""


def spot_first(
    node_resources: dict[str, float],
    demands: list[dict[str, float]],
    node_type: str,
    *,
    node_availability_summary: Any,
) -> tuple[bool, Any, bool] | None:
    """Ray's own score of a node type; of those that are worth the same to it, one on the spot market comes first.

    A type that the provider refused in the last half hour comes after all others. The head's autoscaler calls this by
    the name in RAY_AUTOSCALER_UTILIZATION_SCORER, and starts the type with the highest score; None where it is of no use.
    """
    score = _resource_based_utilization_scorer(
        node_resources, demands, node_availability_summary=node_availability_summary
    )
    if score is None:
        return None
    known = node_availability_summary.node_availabilities.get(node_type)
    return known is None or known.is_available, score, "spot" in node_type


def may_come() -> list[Resources]:
    """The workers that the connected cluster may grow to, the largest ones first; none where no autoscaler is at work.

    It is known where the driver runs on the head.
    """
    if not _internal_kv_get(DEBUG_AUTOSCALING_STATUS) or not CONFIG.exists():
        return []
    config = json.loads(CONFIG.read_text())
    types = [each for name, each in config["available_node_types"].items() if name != config["head_node_type"]]
    nodes = [resources_of(each["resources"]) for each in types for _ in range(each.get("max_workers", 0))]
    return sorted(nodes, reverse=True)[: config["max_workers"]]
