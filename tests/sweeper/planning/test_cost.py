import pytest

from sweeper.planning.cost import costs, estimate
from sweeper.planning.graph import Graph, Plan
from sweeper.trainable.stage import Stage, StageRun, stage
from tests.tiny.config import Branch, Trunk
from tests.tiny.experiment import bend, grow

GROW, BEND, TOTAL = 8.0, 2.0, 0.5


@pytest.fixture
def plan(graph: Graph) -> Plan:
    return graph.plans[0]


@pytest.fixture
def manifests(plan: Plan) -> dict[str, dict[str, object]]:
    took = {"grow": GROW, "bend": BEND, "total": TOTAL}
    return {
        key: {"seconds": took[node.function.label], "device": "cpu", "gpus": 0.0, "peak_memory": 2**28}
        for key, node in plan.stages.items()
    }


def test_the_first_trial_with_a_shared_stage_spends_its_seconds_and_the_others_save_them(plan, manifests) -> None:
    first, other_seed, second, *_ = costs(plan.space.trainable, plan.per_trial, manifests)
    own = {"seconds": 14.5, "seconds.grow": 8.0, "seconds.branches": 6.5, "gpu_hours": 0.0, "peak_memory": 256.0}
    assert first == other_seed == {**own, "seconds_saved": 0.0}
    assert second == {**own, "seconds_saved": 8.0}


def test_a_number_of_which_one_part_is_unknown_is_not_known(plan, manifests) -> None:
    del manifests[plan.targets[0].key]
    first, *others = costs(plan.space.trainable, plan.per_trial, manifests)
    assert first == {
        "seconds": None,
        "seconds_saved": 0.0,
        "seconds.grow": 8.0,
        "seconds.branches": None,
        "gpu_hours": None,
        "peak_memory": None,
    }
    assert {each["seconds"] for each in others} == {14.5}


def test_gpu_hours_are_those_of_stages_on_gpus_by_their_share_and_the_peak_is_the_largest(plan, manifests) -> None:
    grown, *_ = plan.per_trial[0]
    manifests[grown] |= {"device": "cuda", "gpus": 0.25, "seconds": 7200.0, "peak_memory": 2**30}
    first = next(costs(plan.space.trainable, plan.per_trial, manifests))
    assert (first["gpu_hours"], first["peak_memory"]) == (0.5, 1024.0)


def by_key(*nodes: Stage) -> dict[str, Stage]:
    return {node.key: node for node in nodes}


def on_cpu(*nodes: Stage) -> dict[str, str]:
    return dict.fromkeys(by_key(*nodes), "cpu")


def trunk_of(steps: int) -> Stage:
    return grow(trunk=Trunk(steps=steps, pause=0), seed=0)


def test_seconds_are_measured_or_scaled_by_the_work_of_the_same_function() -> None:
    short, long, new = (trunk_of(steps) for steps in (10, 30, 100))
    found = estimate(by_key(short, long, new), on_cpu(short, long, new), {short.key: 10.0, long.key: 50.0})
    assert found.measured == {short.key: 10.0, long.key: 50.0}
    assert found.scaled == {new.key: 100 * (10 + 50) / (10 + 30)}
    assert found.seconds == {**found.measured, **found.scaled}


@stage(version=1, work=lambda links, **_: float(links))
def climb(run: StageRun, links: int) -> None: ...


def test_a_function_that_never_ran_has_its_counted_work_at_the_mean_rate_of_all() -> None:
    short, long, climbed = trunk_of(10), trunk_of(30), climb(links=7)
    bent = bend(trunk=short, branch=Branch(kind="plus", size=1), turn=0)  # counts no work: it is left out of the mean
    found = estimate(
        by_key(short, long, bent, climbed),
        on_cpu(short, long, bent, climbed),
        {short.key: 10.0, long.key: 50.0, bent.key: 1000.0},
    )
    assert found.counted == {climbed.key: 7 * (10 + 50) / (10 + 30)}


def test_a_rate_of_another_device_tells_nothing() -> None:
    here, there, climbed = trunk_of(10), trunk_of(30), climb(links=7)
    devices = {here.key: "cpu", there.key: "cuda", climbed.key: "cuda"}
    stages = by_key(here, there, climbed)
    assert estimate(stages, devices, {here.key: 10.0}).seconds == {here.key: 10.0}
    assert estimate(stages, devices, {here.key: 10.0, there.key: 15.0}).counted == {climbed.key: 3.5}


def test_seconds_without_a_measurement_or_a_count_of_work_are_unknown() -> None:
    trunk, climbed = trunk_of(10), climb(links=7)
    bent = bend(trunk=trunk, branch=Branch(kind="plus", size=1), turn=0)
    assert estimate(by_key(trunk, bent), on_cpu(trunk, bent), {trunk.key: 4.0}).seconds == {trunk.key: 4.0}
    assert estimate(by_key(bent, climbed), on_cpu(bent, climbed), {bent.key: 4.0}).seconds == {bent.key: 4.0}
    assert estimate(by_key(trunk, bent), on_cpu(trunk, bent), {}).seconds == {}
