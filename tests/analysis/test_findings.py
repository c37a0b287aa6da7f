from collections.abc import Sequence
from pathlib import Path

import pytest

from analysis.findings import amount
from analysis.formats import FORMATS, render
from analysis.results import Results
from analysis.summary import summarise
from tests.analysis.searches import Made, digits, pruned, suggestion, write_search


def notes(results: Results) -> Sequence[str]:
    return summarise(results).notes


def point(case: str, aia: float, ppc: float) -> Made:
    return suggestion({"case": case}, {"aia": [aia], "ppc": [ppc]})


def test_a_table_says_what_of_the_search_it_shows_what_that_is_worth_and_what_mattered(tmp_path: Path) -> None:
    assert notes(digits(tmp_path)) == [
        "the Pareto front: 3 of 32 finished suggestions; 40 of 40 made, 8 pruned",
        "hypervolume 1,412,390 with reference aia 20 (given) and ppc 33,630 (the worst found)",
        "importance for aia: adapter.layers 0.61, adapter.lr 0.24, case 0.15",
        "importance for ppc: adapter.layers 0.33, adapter.lr 0.33, case 0.33",
    ]


def test_every_study_is_told_by_its_label_and_measured_from_the_same_point(tmp_path: Path) -> None:
    found = notes(digits(tmp_path, ("mul", "add"), rows=["case"]))
    assert found[:3] == [
        "mul: the Pareto front: 3 of 32 finished suggestions; 40 of 40 made, 8 pruned",
        "add: the Pareto front: 4 of 24 finished suggestions; 40 of 40 made, 16 pruned",
        "hypervolume mul 1,412,390, add 1,506,156 with reference aia 20 (given) and ppc 33,630 (the worst found)",
    ]
    assert found[5] == "add: importance for aia: adapter.layers 0.61, adapter.lr 0.24, case 0.15"


def test_what_did_not_finish_and_what_was_asked_twice_are_counted_as_such(tmp_path: Path) -> None:
    made = [
        point("a", 60, 100),
        point("a", 60, 100),
        point("b", 70, 200),
        pruned({"case": "c"}),
        suggestion({"case": "d"}, {}, state="failed", cause="the loss is nan"),
        suggestion({"case": "e"}, {}, state="running"),
        suggestion({"case": "f"}, {}, state="running"),
    ]
    assert notes(write_search(tmp_path, made))[0] == (
        "the Pareto front: 2 of 3 finished suggestions, 1 of which repeats another; "
        "7 of 60 made, 1 pruned, 1 failed, 2 running"
    )


def test_suggestions_that_the_space_has_refused_come_on_top_of_those_that_were_asked_for(tmp_path: Path) -> None:
    refused = suggestion({"case": "d"}, {}, state="failed", cause="no such case")
    made = [point("a", 60, 100), refused, point("b", 70, 200)]
    assert notes(write_search(tmp_path, made, search={"trials": 2}))[0] == (
        "the Pareto front: 2 of 2 finished suggestions; 3 made, 2 requested, 1 failed"
    )


def test_one_objective_has_its_best_and_no_hypervolume(tmp_path: Path) -> None:
    made = [suggestion({"case": str(aia)}, {"aia": [aia]}) for aia in range(12)]
    assert notes(write_search(tmp_path, made, {"aia": "maximise"})) == [
        "the best 10 of 12 finished suggestions; 12 of 60 made"
    ]
    assert notes(write_search(tmp_path / "one", made[:1], {"aia": "maximise"})) == [
        "the best 1 of 1 finished suggestion; 1 of 60 made"
    ]


@pytest.mark.parametrize("how", FORMATS)
@pytest.mark.parametrize("made", [[], [pruned({"case": "none"})]], ids=["nothing asked", "all pruned"])
def test_a_search_of_which_nothing_has_finished_says_so_in_a_table_without_rows(
    tmp_path: Path, made: list[Made], how: str
) -> None:
    told = f"no suggestion has finished yet; {len(made)} of 60 made{', 1 pruned' if made else ''}"
    printed = render(summarise(write_search(tmp_path, made)), how, statistics=True)  # type: ignore[arg-type]
    if how == "csv":
        assert printed == "case,aia,aia_std,aia_n,aia_trials,ppc,ppc_std,ppc_n,ppc_trials\n"
    else:
        assert told in printed


def test_a_study_of_which_nothing_has_finished_leaves_the_rows_of_the_others(tmp_path: Path) -> None:
    made = [suggestion({"case": "a"}, {"aia": [60.0], "ppc": [100]}, study="x"), pruned({"case": "b"}, study="y")]
    results = write_search(
        tmp_path, made, {"aia": "maximise", "ppc": "minimise"}, {"reference": {"aia": 20, "ppc": 200}}
    )
    assert [row.label for row in summarise(results).rows] == ["a"]
    assert notes(results) == [
        "x: the Pareto front: 1 of 1 finished suggestion; 1 of 60 made",
        "y: no suggestion has finished yet; 1 of 60 made, 1 pruned",
        "hypervolume x 4,000 with reference aia 20 (given) and ppc 200 (given)",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234.5, "1,234.5"),
        (34054, "34,054"),
        (20.0, "20"),
        (2345678.9, "2,345,679"),
        (0.0123456, "0.012346"),
        (0, "0"),
        (-3.25, "-3.25"),
        (float("inf"), "inf"),
    ],
)
def test_amounts_are_told_to_five_digits_and_never_in_powers_of_ten(value: float, text: str) -> None:
    assert amount(value) == text
