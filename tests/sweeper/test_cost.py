import pytest

from sweeper.cost import costs
from sweeper.plan import Graph, Plan

GROW, BEND, TOTAL = 8.0, 2.0, 0.5


@pytest.fixture
def plan(graph: Graph) -> Plan:
    return graph.plans[0]


@pytest.fixture
def seconds(plan: Plan) -> dict[str, float]:
    took = {"grow": GROW, "bend": BEND, "total": TOTAL}
    return {key: took[node.function.label] for key, node in plan.stages.items()}


def test_the_first_trial_with_a_shared_stage_spends_its_seconds_and_the_others_save_them(
    plan: Plan, seconds: dict[str, float]
) -> None:
    first, other_seed, second, *_ = costs(plan, seconds)
    own = {"seconds": 14.5, "seconds.grow": 8.0, "seconds.branches": 6.5}
    assert first == other_seed == {**own, "seconds_saved": 0.0}
    assert second == {**own, "seconds_saved": 8.0}


def test_a_sum_with_an_unknown_summand_is_not_known(plan: Plan, seconds: dict[str, float]) -> None:
    del seconds[plan.targets[0].key]
    first, *others = costs(plan, seconds)
    assert first == {"seconds": None, "seconds_saved": 0.0, "seconds.grow": 8.0, "seconds.branches": None}
    assert {each["seconds"] for each in others} == {14.5}
