"""What the samplers suggest, through studies as a driver has them."""

from collections.abc import Callable, Mapping
from statistics import fmean
from typing import Any

import pytest

from sweeper.engine.search.samplers import SAMPLERS
from sweeper.engine.search.study import Study
from sweeper.space.search import SearchSpace
from sweeper.space.space import Space
from tests.sweeper.search_spaces import ask, search_space, study_in

SIZE = "branch.size: {int: [0, 7]}"
PAUSE = "trunk.pause: {uniform: [0, 1]}"
LEARNERS = ("tpe", "gp", "nsga2", "random", "qmc")
"""All that go on for as long as they are asked."""


def searched(load: Callable[..., Space], sampler: str, *changes: tuple[str, str], **said: Any) -> SearchSpace:
    found = load(
        search_space(*changes, more="\n  ".join([f"sampler: {sampler}", *(f"{k}: {v}" for k, v in said.items())]))
    )
    assert found.searched
    return found.searched


def peak(params: Mapping[str, Any]) -> float:
    """Best at 0.7 of plus."""
    return float(params["branch.kind"] == "plus") - (params["trunk.pause"] - 0.7) ** 2


def outstanding(study: Study, count: int) -> list[Mapping[str, Any]]:
    """The values of suggestions of which nothing is told."""
    return [study.ask().params for _ in range(count)]


@pytest.mark.parametrize("sampler", LEARNERS)
def test_suggestions_under_way_at_once_are_not_the_same(load: Callable[..., Space], sampler: str) -> None:
    study = study_in(None, searched(load, sampler, (SIZE, PAUSE)))
    assert len({each["trunk.pause"] for each in outstanding(study, 3)}) == 3
    ask(study, 10, peak)
    assert len({each["trunk.pause"] for each in outstanding(study, 3)}) == 3


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_suggestion_that_repeats_another_is_asked_for_again(load: Callable[..., Space], sampler: str) -> None:
    study = study_in(None, searched(load, sampler, ("[0, 7]", "[0, 3]")))
    assert len(set(map(str, outstanding(study, 7)))) == 7
    assert [each.state for each in study.suggestions()] == ["running"] * 7


def test_where_all_is_suggested_a_repetition_is_taken(load: Callable[..., Space]) -> None:
    study = study_in(None, searched(load, "random", ("[0, 7]", "[0, 0]")))
    assert len(set(map(str, outstanding(study, 3)))) == 2


@pytest.mark.parametrize("sampler", ["tpe", "nsga2"])
def test_learners_come_closer_to_the_best_than_chance(load: Callable[..., Space], sampler: str) -> None:
    def mean(name: str) -> float:
        runs = [ask(study_in(None, searched(load, name, (SIZE, PAUSE), seed=seed)), 40, peak) for seed in range(3)]
        return fmean(peak(each) for asked in runs for each in asked[20:])

    assert mean(sampler) > mean("random") + 0.05


def test_a_quasi_random_name_that_the_first_suggestion_lacks_still_varies(load: Callable[..., Space]) -> None:
    depends = SIZE.replace("]}", "], when: \"branch.kind == 'plus'\"}")
    study = study_in(None, searched(load, "qmc", (SIZE, depends), enqueue="[{branch.kind: minus}]"))
    sizes = [each.get("branch.size") for each in ask(study, 16)]
    assert sizes[0] is None
    assert len(set(sizes) - {None}) > 3


def test_quasi_random_numbers_leave_no_large_gap(load: Callable[..., Space]) -> None:
    study = study_in(None, searched(load, "qmc", (SIZE, PAUSE)))
    found = sorted(each["trunk.pause"] for each in ask(study, 33)[1:])
    assert [int(32 * each) for each in found] == list(range(32))


def test_a_grid_is_gone_through_once_in_random_order(load: Callable[..., Space]) -> None:
    depends = SIZE.replace("[0, 7]}", "[0, 3], when: \"branch.kind == 'plus'\"}")
    given = searched(load, "grid", (SIZE, depends))
    every = list(given.all(given.points[0]))
    assert len(every) == 5
    found = ask(study_in(None, given), 5)
    assert sorted(map(str, found)) == sorted(map(str, every))
    assert found != every


def test_a_grid_does_not_suggest_again_what_is_under_way(load: Callable[..., Space]) -> None:
    found = outstanding(study_in(None, searched(load, "grid", ("[0, 7]", "[0, 3]"))), 8)
    assert len(set(map(str, found))) == 8


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_suggestions_that_were_stopped_or_refused_are_no_hindrance(load: Callable[..., Space], sampler: str) -> None:
    two = ("{score: maximise}", "{score: maximise, cost: minimise}")
    study = study_in(None, searched(load, sampler, two, (SIZE, "branch.size: {int: [0, 10]}")))
    for number in range(21):
        each = study.ask()
        match number % 4:
            case 0:
                study.refuse(each.number, "where excludes the suggestion")
            case 1:
                study.stop(each.number, "diverged: the loss is nan", 1)
            case _:
                study.finish(each.number, [each.params["branch.size"], -each.params["branch.size"]], 2)
    states = [each.state for each in study.suggestions()]
    assert {state: states.count(state) for state in states} == {"failed": 6, "pruned": 5, "finished": 10}


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_another_seed_suggests_otherwise_and_the_same_one_the_same(load: Callable[..., Space], sampler: str) -> None:
    found = [ask(study_in(None, searched(load, sampler, seed=seed)), 6) for seed in (3, 3, 4)]
    assert found[0] == found[1] != found[2]
