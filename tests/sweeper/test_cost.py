import pytest

from sweeper.cost import costs, estimate
from sweeper.plan import Graph, Plan
from sweeper.stage import Stage
from tests.tiny.config import Branch, Trunk
from tests.tiny.experiment import bend, grow

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


def by_key(*nodes: Stage) -> dict[str, Stage]:
    return {node.key: node for node in nodes}


def test_seconds_are_measured_or_scaled_by_the_work_of_the_same_function() -> None:
    short, long, new = (grow(trunk=Trunk(steps=steps, pause=0), seed=0) for steps in (10, 30, 100))
    seconds = estimate(by_key(short, long, new), {short.key: 10.0, long.key: 50.0})
    assert seconds == {short.key: 10.0, long.key: 50.0, new.key: 100 * (10 + 50) / (10 + 30)}


def test_seconds_of_a_function_that_never_ran_are_unknown() -> None:
    trunk = grow(trunk=Trunk(steps=10, pause=0), seed=0)
    bent = bend(trunk=trunk, branch=Branch(kind="plus", size=1), turn=0)
    assert estimate(by_key(trunk, bent), {trunk.key: 4.0}) == {trunk.key: 4.0}
    assert estimate(by_key(trunk, bent), {}) == {}
