from pathlib import Path

from inline_snapshot import snapshot

from analysis.summary import summarise
from analysis.verdicts import listed, verdicts
from tests.analysis.sweeps import write_sweep


def said(directory: Path, rows: dict[str, list[float | None]], column: str = "la") -> list[str]:
    """The verdicts on rows of one value per seed, against the row called 40-54."""
    trials = [
        {"adapter.layers": name, "seed": seed, column: value}
        for name, values in rows.items()
        for seed, value in enumerate(values)
    ]
    baseline = {"adapter.layers": "40-54"}
    return verdicts(summarise(write_sweep(directory, trials, columns=[column], baseline=baseline)))


def test_a_difference_that_seeds_do_not_settle(tmp_path) -> None:
    assert said(tmp_path, {"35-54": [71.0, 73.5, 72.0], "40-54": [70.0, 71.0, 71.5]}) == snapshot(
        ["35-54 is not distinguishable from 40-54 in LA % with 3 seeds; about 7 would be needed"]
    )


def test_a_difference_that_seeds_settle_is_better_or_worse_by_what_the_column_means(tmp_path) -> None:
    rows = {"0-64": [80.0, 80.1, 80.2], "40-54": [70.0, 70.2, 70.1]}
    assert said(tmp_path / "a", rows) == snapshot(["0-64 is better than 40-54 in LA % with 3 seeds"])
    assert said(tmp_path / "b", rows, "fm_loss") == snapshot(["0-64 is worse than 40-54 in FM loss with 3 seeds"])


def test_rows_that_fare_alike_are_told_together(tmp_path) -> None:
    rows = {
        "a": [80.0, 80.1, 80.3],
        "b": [70.0, 71.4, 70.1],
        "c": [60.0, 60.1, 60.3],
        "d": [60.2, 60.1, 60.4],
        "e": [70.0, 70.201, 70.1],
        "40-54": [70.0, 70.2, 70.1],
    }
    assert said(tmp_path, rows) == snapshot(
        [
            "a is better than 40-54 in LA % with 3 seeds",
            "c and d are worse than 40-54 in LA % with 3 seeds",
            "b (39) and e (39) are not distinguishable from 40-54 in LA % with 3 seeds (in parentheses: seeds needed)",
        ]
    )


def test_one_seed_is_no_test(tmp_path) -> None:
    assert said(tmp_path, {"a": [1.0], "b": [2.0], "40-54": [3.0]}) == snapshot(
        ["a and b cannot be compared with 40-54 in LA %: a test needs more than 1 seed"]
    )


def test_differences_that_are_all_the_same_are_not_called_certain(tmp_path) -> None:
    rows = {"a": [71.0, 72.0], "b": [70.0, 71.0], "40-54": [70.0, 71.0]}
    assert said(tmp_path, rows) == snapshot(
        [
            "a differs from 40-54 in LA % by the same amount with each of 2 seeds: no test applies",
            "b is equal to 40-54 in LA % with each of 2 seeds",
        ]
    )


def test_a_row_without_a_seed_in_common_is_said_to_have_none(tmp_path) -> None:
    assert said(tmp_path, {"a": [None, 1.0], "b": [2.0, None], "40-54": [1.0, None]}) == snapshot(
        [
            "b cannot be compared with 40-54 in LA %: a test needs more than 1 seed",
            "a cannot be compared with 40-54 in LA %: no seed has a value in both",
        ]
    )


def test_of_a_column_that_nothing_has_measured_nothing_is_said(tmp_path) -> None:
    assert said(tmp_path, {"a": [None, None], "40-54": [1.0, 2.0]}) == []


def test_a_hopeless_number_of_seeds_is_not_spelt_out(tmp_path) -> None:
    assert said(tmp_path, {"a": [70.0, 71.0, 70.01], "40-54": [70.5, 70.5, 70.0]}) == snapshot(
        ["a is not distinguishable from 40-54 in LA % with 3 seeds; more than 1,000 would be needed"]
    )


def test_names_are_listed_as_a_sentence_does() -> None:
    assert [listed(each) for each in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
