from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from inline_snapshot import snapshot

from analysis.figures.groups import groups_of
from analysis.results import NoTable, Results
from analysis.search import Search
from analysis.summary import summarise
from tests.analysis.searches import Made, pruned, suggestion, write_search
from tests.analysis.sweeps import layer_selection


def point(case: str, aia: float, ppc: float, **more: object) -> Made:
    return suggestion({"case": case}, {"aia": [aia - 1, aia + 1], "ppc": [ppc, ppc]}, **more)


MADE = [
    point("worst", 50, 400),
    point("cheap", 60, 100),
    pruned({"case": "given up"}),
    point("dear", 90, 300),
    point("beaten", 55, 100),
    point("between", 80, 200),
]


def searched(results: Results) -> Search:
    assert results.search
    return results.search


def cases(results: Results) -> list[str]:
    return results.trials["case"].to_pylist()


def test_a_space_that_names_its_trials_has_no_search(tmp_path: Path) -> None:
    assert layer_selection(tmp_path).search is None


def test_trials_are_those_of_the_front_alone_the_best_in_the_first_objective_first(tmp_path: Path) -> None:
    results = write_search(tmp_path, MADE)
    assert cases(results) == ["dear", "dear", "between", "between", "cheap", "cheap"]
    assert results.finished["aia"].to_pylist() == [89, 91, 79, 81, 59, 61]
    assert results.read(["seed"]).to_pydict() == {"seed": [0, 1] * 3}
    assert dict(results.states) == {"finished": 10, "pruned": 1}


def test_rows_of_tables_and_figures_keep_that_order_whatever_their_names_share(tmp_path: Path) -> None:
    made = [
        suggestion({"case": case, "p": p}, {"aia": [aia], "ppc": [ppc]})
        for case, p, aia, ppc in (("a", 1, 60, 100), ("b", 2, 70, 200), ("a", 3, 80, 300))
    ]
    results = write_search(tmp_path, made)
    expected = [("a", 3), ("b", 2), ("a", 1)]
    assert [tuple(row.axes.values()) for row in summarise(results).rows] == expected
    assert [group.values for group in groups_of(results)] == expected


def test_of_one_objective_the_ten_best_are_chosen_and_of_several_studies_three_each(tmp_path: Path) -> None:
    def made(study: str) -> list[Made]:
        return [suggestion({"case": f"{study}{place}"}, {"aia": [place]}, study=study) for place in range(12)]

    alone = write_search(tmp_path / "alone", made(""), {"aia": "maximise"})
    assert cases(alone) == [str(place) for place in range(11, 1, -1)]
    least = write_search(tmp_path / "least", made(""), {"aia": "minimise"})
    assert cases(least) == [str(place) for place in range(10)]
    several = write_search(tmp_path / "several", [*made("x"), *made("y")], {"aia": "maximise"})
    assert cases(several) == ["x11", "x10", "x9", "y11", "y10", "y9"]


def test_suggestions_with_equal_configs_are_one_row(tmp_path: Path) -> None:
    results = write_search(tmp_path, [point("a", 60, 100), point("a", 60, 100), point("b", 70, 200)])
    assert cases(results) == ["b", "b", "a", "a"]
    assert [each.number for each in searched(results).chosen] == [2, 0]


def test_the_reference_is_what_was_given_and_otherwise_the_worst_that_has_finished(tmp_path: Path) -> None:
    assert searched(write_search(tmp_path / "worst", MADE)).reference == {"aia": 50, "ppc": 400}
    given = write_search(tmp_path / "given", MADE, search={"reference": {"aia": 20.0}})
    assert searched(given).reference == {"aia": 20, "ppc": 400}


def test_history_grows_to_the_hypervolume_of_the_front_and_a_pruned_suggestion_adds_nothing(tmp_path: Path) -> None:
    search = searched(write_search(tmp_path, MADE, search={"reference": {"aia": 20.0}}))
    (study,) = search.studies
    with_dear = 40 * 300 + 30 * 100
    expected = [0, 40 * 300, 40 * 300, with_dear, with_dear, with_dear + 20 * 100]
    assert search.history(study) == expected
    assert search.hypervolume(study) == expected[-1]


def test_history_of_one_objective_is_the_best_so_far_and_nothing_before_the_first_has_finished(tmp_path: Path) -> None:
    made = [pruned({"case": "a"}), *(suggestion({"case": str(aia)}, {"aia": [aia]}) for aia in (3, 1, 4))]
    search = searched(write_search(tmp_path, made, {"aia": "maximise"}))
    assert search.history(search.studies[0]) == [None, 3, 3, 4]
    assert search.hypervolume(search.studies[0]) is None


def test_a_suggestion_whose_value_is_no_number_is_never_chosen(tmp_path: Path) -> None:
    made = [point("nan", float("nan"), 1), point("a", 60, 100)]
    assert cases(write_search(tmp_path / "two", made)) == ["a", "a"]
    search = searched(write_search(tmp_path / "none", made[:1]))
    assert (list(search.chosen), search.hypervolume(search.studies[0])) == ([], 0)
    one = [suggestion({"case": str(aia)}, {"aia": [aia]}) for aia in (float("nan"), 3.0, float("inf"))]
    results = write_search(tmp_path / "one", one, {"aia": "maximise"})
    assert cases(results) == ["3.0"]
    assert searched(results).history(searched(results).studies[0]) == [None, 3, 3]


def test_suggestions_that_cannot_be_read_are_refused_with_what_to_do(tmp_path: Path) -> None:
    results = layer_selection(tmp_path)
    path = results.directory / "suggestions.parquet"
    for table in (
        pa.table({"study": [""]}),
        pa.table({"study": [""]}).replace_schema_metadata({b"sweeper.search": "{}"}),
    ):
        pq.write_table(table, path)
        with pytest.raises(NoTable) as error:
            Results(results.described, results.directory).trials  # noqa: B018
        assert str(error.value).startswith(str(path))
        assert str(error.value).splitlines()[-1] == snapshot("  fix: run the sweep again to rewrite the file")


def test_a_row_of_the_table_is_all_seeds_of_a_suggestion(tmp_path: Path) -> None:
    (first, *_) = summarise(write_search(tmp_path, MADE)).rows
    assert first.cells["aia"].text() == "90.00 ± 1.41 (n=2)"
