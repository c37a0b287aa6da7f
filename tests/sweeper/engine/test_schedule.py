from inline_snapshot import snapshot

from sweeper.engine.schedule import PASSES, Schedule
from sweeper.planning.graph import collect
from sweeper.trainable.resources import Resources
from sweeper.trainable.stage import Stage
from tests.masked import masked
from tests.tiny.config import Branch, Trunk
from tests.tiny.experiment import bend, grow, total


def chain(steps: int, seed: int = 0) -> tuple[Stage, Stage, Stage]:
    trunk = grow(trunk=Trunk(steps=steps, pause=0), seed=seed)
    bent = bend(trunk=trunk, branch=Branch(kind="plus", size=1), turn=0)
    return trunk, bent, total(bends=[bent])


def schedule(*targets: Stage) -> Schedule:
    found: dict[str, Stage] = {}
    for target in targets:
        collect(target, found)
    return Schedule(found)


def run_all(schedule: Schedule) -> list[Stage]:
    order = []
    while node := schedule.take():
        order.append(node)
        schedule.complete(node.key)
    return order


def test_every_stage_runs_once_after_its_inputs() -> None:
    long, short = chain(9), chain(2, seed=1)
    order = run_all(schedule(long[2], short[2]))
    assert len(order) == len(set(order)) == 6
    assert all(order.index(parent) < order.index(node) for node in order for parent in node.parents())


def test_the_longest_remaining_path_goes_first() -> None:
    short, long = chain(2, seed=1), chain(9)
    assert run_all(schedule(short[2], long[2]))[0] == long[0]


def test_nothing_is_handed_out_while_its_inputs_run() -> None:
    trunk, bent, last = chain(3)
    waiting = schedule(last)
    assert waiting.take() == trunk
    assert waiting.take() is None
    assert not waiting.finished
    waiting.complete(trunk.key)
    assert waiting.take() == bent


def test_a_failure_fails_what_is_above_it_and_nothing_else() -> None:
    bad, good = chain(9), chain(2, seed=1)
    state = schedule(bad[2], good[2])
    state.fail(_taken(state), "out of luck")
    assert state.failed == {node.key: "out of luck" for node in bad}
    assert set(run_all(state)) == set(good)
    assert state.finished


def test_a_lost_input_runs_again_before_the_stage_that_missed_it() -> None:
    trunk, bent, last = chain(3)
    state = Schedule({bent.key: bent, last.key: last})  # the trunk was cached
    state.invalidate(_taken(state), trunk)
    assert run_all(state) == [trunk, bent, last]


def test_an_input_lost_by_two_stages_runs_once() -> None:
    trunk = grow(trunk=Trunk(steps=3, pause=0), seed=0)
    bends = [bend(trunk=trunk, branch=Branch(kind="plus", size=size), turn=0) for size in (1, 2)]
    state = Schedule({node.key: node for node in bends})
    for key in [_taken(state), _taken(state)]:
        state.invalidate(key, trunk)
    assert run_all(state) == [trunk, *bends]


def test_a_lost_input_does_not_run_twice_what_waits_for_more() -> None:
    trunk, other = (grow(trunk=Trunk(steps=steps, pause=0), seed=0) for steps in (3, 1))
    first, second = (bend(trunk=each, branch=Branch(kind="plus", size=1), turn=0) for each in (trunk, other))
    last = total(bends=[first, second])
    state = schedule(last)
    for node in (trunk, other, first):
        assert state.take() == node
        state.complete(node.key)
    state.invalidate(_taken(state), trunk)  # the second one says that it misses the trunk
    assert run_all(state) == [trunk, second, last]


def test_an_input_that_is_damaged_again_and_again_is_a_failure() -> None:
    trunk, bent, last = chain(3)
    state = Schedule({bent.key: bent, last.key: last})
    for _ in range(2):
        state.invalidate(_taken(state), trunk)
        assert state.take() == trunk
        state.complete(trunk.key)
    state.invalidate(_taken(state), trunk)
    assert masked(state.failed[last.key], key=trunk.key[:12]) == snapshot(
        "its input grow {key} is damaged again and again"
    )
    assert state.finished


def _taken(state: Schedule) -> str:
    node = state.take()
    assert node
    return node.key


BIG, SMALL = Resources(2, 0.0, 0), Resources(1, 0.0, 0)


def test_a_smaller_stage_overtakes_one_that_does_not_fit_but_not_for_ever() -> None:
    big, *small = [chain(40 - seed, seed)[0] for seed in range(PASSES + 3)]
    state = Schedule({node.key: node for node in (big, *small)}, lambda node: BIG if node == big else SMALL)
    for _ in range(PASSES):
        assert state.take(lambda request: request == SMALL) in small
    assert state.take(lambda request: request == SMALL) is None
    assert state.take() == big
    assert state.take(lambda request: request == SMALL) in small


def test_a_deferred_stage_is_ready_again_after_its_time_with_its_new_request() -> None:
    now = [0.0]
    node = chain(3)[0]
    state = Schedule({node.key: node}, lambda _: SMALL, clock=lambda: now[0])
    state.take()
    state.defer(node.key, 5.0, BIG)
    assert state.take() is None
    assert not state.finished
    now[0] = 5.0
    assert state.take(lambda request: request == SMALL) is None
    assert state.take(lambda request: request == BIG) == node


def below(target: Stage) -> dict[str, Stage]:
    return collect(target, {})


def test_stages_that_come_later_wait_for_what_is_running_and_not_for_what_is_done() -> None:
    trunk, bent, last = chain(3)
    state = schedule(trunk)
    assert state.take() == trunk
    state.add(below(last))
    assert state.take() is None
    state.complete(trunk.key)
    assert run_all(state) == [bent, last]
    again = total(bends=[bent, bend(trunk=trunk, branch=Branch(kind="minus", size=1), turn=0)])
    state.add(below(again))
    assert [node.key for node in run_all(state)] == [again.inputs["bends"][1].key, again.key]  # type: ignore[index]
    assert state.finished


def test_stages_that_are_there_already_stay_as_they_are() -> None:
    trunk, bent, last = chain(3)
    state = schedule(last)
    assert _taken(state) == trunk.key
    state.add(below(last))
    assert state.take() is None
    assert (state.running, list(state.stages)) == ({trunk.key}, [trunk.key, bent.key, last.key])
    state.complete(trunk.key)
    assert run_all(state) == [bent, last]


def test_stages_that_come_above_a_failed_one_have_failed_with_its_cause() -> None:
    trunk, bent, last = chain(3)
    state = schedule(trunk)
    state.fail(_taken(state), "out of luck")
    state.add(below(last))
    assert state.failed == dict.fromkeys((trunk.key, bent.key, last.key), "out of luck")
    assert state.finished


def test_stages_of_a_long_path_go_first_when_they_come_later() -> None:
    short, long = chain(2, seed=1), chain(9)
    state = schedule(short[2])
    state.add(below(long[2]))
    assert run_all(state)[0] == long[0]


def test_a_schedule_is_idle_while_nothing_could_be_started() -> None:
    trunk, bent, _ = chain(3)
    state = Schedule({})
    assert state.is_idle
    assert state.finished
    state.add(below(bent))
    assert not state.is_idle
    assert _taken(state) == trunk.key
    assert (state.is_idle, state.finished) == (True, False)
    state.defer(trunk.key, 1e9)
    assert (state.is_idle, state.finished) == (True, False)
