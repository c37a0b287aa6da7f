"""What a suggestion may hold, and the trials that it comes to."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from sweeper.errors import SweeperError
from sweeper.space.search import SearchSpace
from sweeper.space.search_schema import Distribution
from sweeper.space.space import Space
from tests.sweeper.search_spaces import CASES, search_space

SIZE = "branch.size: {int: [0, 7]}"
DEPENDS = f"{SIZE[:-1]}, when: \"branch.kind == 'plus'\"}}"


@pytest.fixture
def read(load: Callable[..., Space]) -> Callable[[str], SearchSpace]:
    def _read(text: str) -> SearchSpace:
        found = load(text).searched
        assert found
        return found

    return _read


def suggested(searched: SearchSpace, values: Mapping[str, Any], row: int = 0) -> dict[str, Any]:
    """What is asked for where the names are given these values."""

    def draw(name: str, given: Distribution) -> Any:
        return values[name]

    return searched.suggest(searched.points[row], draw)


def configs(searched: SearchSpace, params: Mapping[str, Any], row: int = 0) -> list[Any]:
    return [each.config for each in searched.trials(searched.points[row], params)]


def test_a_name_is_asked_for_where_its_condition_holds_and_nowhere_else(read: Callable[[str], SearchSpace]) -> None:
    searched = read(search_space((SIZE, DEPENDS)))
    assert suggested(searched, {"branch.kind": "plus", "branch.size": 3}) == {"branch.kind": "plus", "branch.size": 3}
    assert suggested(searched, {"branch.kind": "minus"}) == {"branch.kind": "minus"}


def test_a_condition_may_ask_for_what_the_case_gives_the_preset_has_or_the_row_says(
    read: Callable[[str], SearchSpace],
) -> None:
    searched = read(CASES)
    assert suggested(searched, {"case": "up", "branch.size": 4}) == {"case": "up", "branch.size": 4}
    assert suggested(searched, {"case": "down", "trunk.steps": 3}) == {"case": "down", "trunk.steps": 3}
    preset = read(search_space((SIZE, SIZE[:-1] + ', when: "trunk.steps == 5 and trunk.pause == 0"}')))
    assert "branch.size" in suggested(preset, {"branch.kind": "plus", "branch.size": 1})
    rows = read(
        search_space(
            (SIZE, SIZE[:-1] + ', when: "trunk.steps > 2"}'), ("search:", "axes: {trunk.steps: [2, 3]}\nsearch:")
        )
    )
    given = {"branch.kind": "plus", "branch.size": 1}
    assert ["branch.size" in suggested(rows, given, row) for row in range(2)] == [False, True]


@pytest.mark.parametrize(
    ("text", "params", "size", "steps"),
    [
        (search_space((SIZE, DEPENDS)), {"branch.kind": "minus"}, 1, 5),  # the preset's
        (
            search_space((SIZE, DEPENDS), ("search:", "fixed: {branch.size: 4}\nsearch:")),
            {"branch.kind": "minus"},
            4,
            5,
        ),
        (CASES, {"case": "up", "branch.size": 6}, 6, 4),
        (CASES, {"case": "down", "trunk.steps": 3}, 2, 3),
    ],
)
def test_a_name_that_is_not_asked_for_keeps_its_other_value(
    read: Callable[[str], SearchSpace], text: str, params: dict[str, Any], size: int, steps: int
) -> None:
    assert {(each.branch.size, each.trunk.steps) for each in configs(read(text), params)} == {(size, steps)}


def test_a_suggestion_is_a_trial_for_every_seed_that_says_all_that_is_searched(
    read: Callable[[str], SearchSpace],
) -> None:
    searched = read(CASES)
    trials = searched.trials(searched.points[0], {"case": "down", "trunk.steps": 3})
    assert [each.label for each in trials] == ["down · 2 · 3 · seed 0", "down · 2 · 3 · seed 1"]
    assert trials[0].row == {"case": "down", "branch.size": 2, "trunk.steps": 3}
    assert searched.design == ["case", "branch.size", "trunk.steps"]


def test_suggestions_that_come_to_the_same_config_are_the_same_runs(read: Callable[[str], SearchSpace]) -> None:
    searched = read(search_space((SIZE, DEPENDS)))
    same = [{"branch.kind": "plus", "branch.size": 1}, {"branch.size": 1, "branch.kind": "plus"}]
    keys = [[searched.start.trainable.run(each).key for each in configs(searched, params)] for params in same]
    assert keys[0] == keys[1]
    assert len(set(keys[0])) == 2  # seeds


def test_every_row_beside_the_search_is_a_study_of_its_own(read: Callable[[str], SearchSpace]) -> None:
    text = CASES.replace("    case: {choice: [up, down]}\n", "").replace("seeds:", "axes: {remark: [a, b]}\nseeds:")
    searched = read(text)
    assert [point.label for point in searched.points] == ["up · a", "up · b", "down · a", "down · b"]
    assert searched.design == ["case", "remark", "branch.size", "trunk.steps"]
    (first, _) = searched.trials(searched.points[3], {"trunk.steps": 2})
    assert first.label == "down · b · 2 · 2 · seed 0"
    assert (first.config.branch.kind, first.config.remark) == ("minus", "b")  # type: ignore[attr-defined]
    assert (read(search_space()).points[0].label, len(read(search_space()).points)) == ("", 1)


def test_all_that_may_be_suggested_leaves_out_what_is_not_asked_for(read: Callable[[str], SearchSpace]) -> None:
    searched = read(CASES)
    assert list(searched.all(searched.points[0])) == [
        *({"case": "up", "branch.size": size} for size in (4, 5, 6)),
        *({"case": "down", "trunk.steps": steps} for steps in (2, 3)),
    ]


@pytest.mark.parametrize(
    ("changes", "params", "expected"),
    [
        (
            [("search:", "where: branch.size < 5 or branch.kind == 'plus'\nsearch:")],
            {"branch.kind": "minus", "branch.size": 6},
            "space.yaml:5:8: where excludes the suggestion",
        ),
        (
            [("[0, 7]", "[0, 10]")],
            {"branch.kind": "plus", "branch.size": 9},
            "space.yaml:8:18: branch.size: 9 is one too many\n  fix: take 8",
        ),
        (
            [("[0, 7]", "[0, 10]")],
            {"branch.kind": "plus", "branch.size": 8},
            "space.yaml:8:18: branch.size: 8 is not to be had here\n  fix: take 7",
        ),
    ],
)
def test_a_suggestion_is_refused_that_the_space_or_the_experiment_does_not_want(
    read: Callable[[str], SearchSpace], changes: list[tuple[str, str]], params: dict[str, Any], expected: str
) -> None:
    searched = read(search_space(*changes))
    with pytest.raises(SweeperError) as error:
        searched.trials(searched.points[0], params)
    assert str(error.value).endswith(expected)
    assert searched.trials(searched.points[0], {"branch.kind": "plus", "branch.size": 4})


def test_what_is_searched_is_told_in_words(read: Callable[[str], SearchSpace]) -> None:
    assert read(CASES).told == {
        "case": "one of up, down",
        "branch.size": "whole numbers from 4 to 6, when case != 'down'",
        "trunk.steps": "one of 2, 3, when branch.kind == 'minus'",
    }
