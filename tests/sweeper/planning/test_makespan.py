import random

import pytest

from sweeper.planning.makespan import Task, critical_path, makespan, remaining_path, slot_seconds


def task(seconds: float, *waits_for: str, slots: int = 1) -> Task:
    return Task(seconds, slots, waits_for)


def test_independent_tasks_fill_the_slots() -> None:
    tasks = {name: task(2.0) for name in "abc"}
    assert [makespan(tasks, slots) for slots in (1, 2, 3, 9)] == [6.0, 4.0, 2.0, 2.0]


def test_nothing_takes_no_time() -> None:
    assert makespan({}, 2) == critical_path({}) == 0.0


def test_a_chain_takes_its_sum_on_any_number_of_slots() -> None:
    tasks = {"a": task(1.0), "b": task(2.0, "a"), "c": task(3.0, "b")}
    assert makespan(tasks, 1) == makespan(tasks, 8) == critical_path(tasks) == 6.0
    assert remaining_path(tasks) == {"a": 6.0, "b": 5.0, "c": 3.0}


def test_the_longest_remaining_path_starts_first() -> None:
    tasks = {"x": task(3.0), "y": task(3.0), "root": task(2.0), "leaf": task(4.0, "root")}
    assert makespan(tasks, 2) == 6.0  # root and leaf on one slot, x and y on the other; by order of writing it is 9


def test_a_task_waits_for_all_its_inputs() -> None:
    tasks = {"a": task(1.0), "b": task(5.0), "sum": task(1.0, "a", "b")}
    assert makespan(tasks, 2) == 6.0


def test_a_wide_task_waits_for_room_and_a_narrow_one_fills_what_is_left() -> None:
    tasks = {"long": task(4.0), "wide": task(3.0, slots=2), "narrow": task(2.0)}
    assert makespan(tasks, 2) == 7.0  # narrow beside long, then wide
    assert makespan(tasks, 3) == 5.0  # long beside wide, then narrow beside long
    assert slot_seconds(tasks) == 12.0


def test_a_task_wider_than_the_machine_takes_all_of_it() -> None:
    assert makespan({"wide": task(3.0, slots=64), "other": task(1.0)}, 2) == 4.0


@pytest.mark.parametrize("seed", range(20))
def test_it_stays_between_the_bounds_of_list_scheduling(seed: int) -> None:
    chance = random.Random(seed)
    tasks: dict[str, Task] = {}
    for index in range(60):
        others = chance.sample(sorted(tasks), min(len(tasks), chance.randrange(4)))
        tasks[f"{index:02}"] = task(chance.choice([0.0, 1.0, chance.random() * 10]), *others)
    slots = chance.randint(1, 6)
    path, work = critical_path(tasks), slot_seconds(tasks)
    took = makespan(tasks, slots)
    assert max(path, work / slots) <= took + 1e-9
    assert took <= work / slots + path + 1e-9
