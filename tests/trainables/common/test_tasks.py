import pytest

from trainables.common.tasks import Tasks, task_stream


def test_without_an_order_the_classes_come_as_the_data_set_counts_them() -> None:
    assert task_stream(10, Tasks(first=4, later=3), None) == ((0, 1, 2, 3), (4, 5, 6), (7, 8, 9))


@pytest.mark.parametrize("order_seed", [None, 0, 1, 2])
@pytest.mark.parametrize(("classes", "first", "later"), [(100, 20, 20), (100, 50, 5), (10, 10, 1), (10, 1, 3)])
def test_every_class_comes_exactly_once_in_tasks_of_the_given_size(classes, first, later, order_seed) -> None:
    tasks = task_stream(classes, Tasks(first=first, later=later), order_seed)
    assert [len(task) for task in tasks] == [first] + [later] * ((classes - first) // later)
    assert sorted(label for task in tasks for label in task) == list(range(classes))
    assert all(list(task) == sorted(task) for task in tasks)


def test_an_order_is_drawn_from_its_own_seed_and_stays_the_same() -> None:
    split = Tasks(first=4, later=2)
    assert len({task_stream(10, split, order_seed) for order_seed in [None, *range(5)]}) == 6
    assert task_stream(10, split, 3) == task_stream(10, split, 3)


def test_an_order_cut_differently_is_the_same_order() -> None:
    coarse, fine = (task_stream(20, Tasks(first=4, later=later), 1) for later in (8, 4))
    assert fine[0] == coarse[0]
    assert {*fine[1], *fine[2]} == {*coarse[1]}


def test_an_order_stays_the_same_in_every_release() -> None:
    assert task_stream(10, Tasks(first=2, later=2), 0) == ((7, 8), (1, 5), (3, 4), (0, 2), (6, 9))
