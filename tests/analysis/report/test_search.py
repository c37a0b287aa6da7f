import json
import re
from pathlib import Path
from typing import Any

import pytest

from analysis.report import page
from analysis.results import Results
from tests.analysis.report.test_page import EVIL, parsed, said
from tests.analysis.searches import digits, pruned, suggestion, write_search
from tests.analysis.sweeps import layer_selection


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Results:
    return digits(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def written(results) -> str:
    return page([results])


def chart(written: str, name: str) -> Any:
    block = re.search(rf'id="sweep-0-{name}-data">(.*?)</script>', written)
    assert block
    (panel,) = json.loads(block[1])["panels"]
    return panel


def test_the_search_says_what_was_asked_what_became_of_it_and_what_it_found(written) -> None:
    told = said(written)
    assert (
        "The goal was to maximise aia and minimise ppc with 40 suggestions of the sampler tpe; the pruner median "
        "stopped unpromising ones. 40 suggestions so far: 32 finished, 8 pruned. They took 6 min 40 s of "
        "stage time, not counting stages that other trials had already run. "
        "Hypervolume 1,412,390 with reference aia 20 (given) and ppc 33,630 (the worst found)."
    ) in told
    assert "adapter.layers what adapter.layers may be 0.61 0.33" in told


def test_every_suggestion_is_listed_with_its_values_and_those_of_the_table_are_marked(written, results) -> None:
    told = said(written)
    assert "suggestion state AIA % PPC seeds seconds case adapter.layers adapter.lr cause" in told
    (study,) = results.search.studies
    given_up, chosen = study.of("pruned")[0], results.search.chosen[0]
    assert re.search(rf"\b{given_up.number} pruned 0 10.0 .* pruned after task 2 of 5\b", told)
    assert f"{chosen.number} finished, in the table 73.90 33,630 2 10.0 cosine 0-64 0.002397" in told
    assert told.count("finished, in the table") == 3


def test_overview_counts_the_trials_of_all_suggestions_and_rows_are_those_of_the_chosen(written) -> None:
    told = said(written)
    assert "72 trials: 64 finished, 8 pruned." in told
    assert "3 rows by case and adapter.layers and adapter.lr, 6 trials, averaged over seed." in told


def test_points_of_the_interactive_front_say_what_was_suggested(written) -> None:
    every, front, reference = chart(written, "front")["lines"]
    assert (len(every["x"]), len(every["hovers"]), every["dash"]) == (32, 32, "")
    assert front["x"] == [3328, 9152, 33630]
    assert (front["shape"], front["ring"]) == ("hv", True)
    assert front["hovers"][2][1:] == [
        "AIA % 73.903",
        "PPC 33,630",
        "case cosine",
        "adapter.layers 0-64",
        "adapter.lr 0.002397",
    ]
    assert (reference["x"], reference["y"]) == ([33630], [20])


def test_the_interactive_history_marks_pruned_suggestions_below_the_line(written, results) -> None:
    line, given_up = chart(written, "history")["lines"]
    assert line["y"][-1] == pytest.approx(1_412_390, rel=1e-4)
    assert len(given_up["x"]) == 8
    assert max(given_up["y"]) < min(line["y"])
    assert given_up["hovers"][0][0] == f"suggestion {results.search.studies[0].of('pruned')[0].number}, pruned"
    assert given_up["hovers"][0][-1] == "pruned after task 2 of 5"


@pytest.mark.slow
def test_studies_are_told_apart_and_a_page_may_hold_searched_and_other_sweeps(tmp_path: Path, written) -> None:
    both = page([digits(tmp_path, ("mul", "add")), layer_selection(tmp_path)])
    told = said(both)
    assert "with 40 suggestions of the sampler tpe in each of 2 studies" in told
    assert "mul: 40 suggestions with all values" in told
    assert "sweep finished pruned failed missing" in told
    assert told.count("Pareto front of the search") == 1
    found = parsed(both)
    assert len(found.ids) == len(set(found.ids))
    assert "pruned failed" not in said(page([layer_selection(tmp_path / "alone")]))


def test_a_page_of_a_search_of_which_nothing_has_finished_says_so(tmp_path: Path) -> None:
    told = said(page([write_search(tmp_path, [pruned({"case": "none"})])]))
    assert "1 suggestion so far: 1 pruned." in told
    assert "No suggestion has finished yet." in told
    assert "Accuracy against cost: no suggestion has finished yet" in told
    assert "Rows and their configs" not in told


def test_what_a_search_suggests_is_text_whatever_it_looks_like(tmp_path: Path, written) -> None:
    made = [
        suggestion({EVIL: EVIL}, {"aia": [60.0], "ppc": [100]}, study=EVIL),
        suggestion({EVIL: EVIL}, {}, state="pruned", cause=EVIL, study=EVIL),
    ]
    evil = page([write_search(tmp_path, made, rows=[EVIL])])
    assert parsed(evil).scripts == parsed(written).scripts
    assert EVIL not in evil
    assert "<i class=evil>" not in evil
