"""Choose the next node type of the head's autoscaler: spot before on demand, unless spot was refused."""

from __future__ import annotations

from typing import Any

from ray.autoscaler._private.resource_demand_scheduler import _resource_based_utilization_scorer


def spot_first(
    node_resources: dict[str, float],
    demands: list[dict[str, float]],
    node_type: str,
    *,
    node_availability_summary: Any,
) -> tuple[bool, Any, bool] | None:
    """Score a node type; the autoscaler starts the one with the highest, and none where it is None.

    It is Ray's own score, and of types that are worth the same by it the one with ``spot`` in its name comes first. A
    type that the provider has refused within the last half hour comes after all others. The autoscaler finds this
    function by the name in RAY_AUTOSCALER_UTILIZATION_SCORER.
    """
    score = _resource_based_utilization_scorer(
        node_resources, demands, node_availability_summary=node_availability_summary
    )
    if score is None:
        return None
    known = node_availability_summary.node_availabilities.get(node_type)
    return known is None or known.is_available, score, "spot" in node_type
