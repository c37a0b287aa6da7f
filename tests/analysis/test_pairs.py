import numpy as np
import pytest
from scipy import stats

from analysis.results import Results
from analysis.summary import Summary, summarise
from tests.analysis.sweeps import KILLED, write_sweep

BASELINE = {"adapter.layers": "40-54"}


def trial(layers: str, seed: int, la: float | None, **more: object) -> dict[str, object]:
    return {"adapter.layers": layers, "seed": seed, "ppc": 1, "la": la, "aia": 50.0} | more


def compared(results: Results, column: str = "la") -> tuple[Summary, dict[str, tuple[str, int, float]]]:
    """By row: its baseline, pairs and mean difference."""
    summary = summarise(results)
    (found,) = [each for each in summary.comparisons if each.column == column]
    differences = found.differences
    return summary, {
        summary.rows[row].label: (
            summary.rows[baseline].label,
            int(differences.n[place]),
            float(differences.mean[place]),
        )
        for place, (row, baseline) in enumerate(zip(found.rows, found.baselines, strict=True))
    }


def test_rows_are_paired_by_seed_whatever_their_order(tmp_path) -> None:
    mine, theirs = {0: 80.0, 1: 83.0, 2: 79.0}, {2: 70.0, 0: 75.0, 1: 72.0}
    trials = [*(trial("0-64", *each) for each in mine.items()), *(trial("40-54", *each) for each in theirs.items())]
    summary, found = compared(write_sweep(tmp_path, trials, baseline=BASELINE))
    assert found == {"0-64": ("40-54", 3, pytest.approx((5 + 11 + 9) / 3))}
    test = stats.ttest_rel([80, 83, 79], [75, 72, 70])
    assert summary.comparisons[0].differences.p == pytest.approx([test.pvalue])


def test_a_seed_that_one_of_the_rows_lacks_is_no_pair(tmp_path) -> None:
    trials = [
        trial("0-64", 0, 80.0),
        trial("0-64", 1, None, **KILLED),
        trial("0-64", 2, 90.0),
        trial("40-54", 0, 70.0),
        trial("40-54", 1, 75.0),
    ]
    _, found = compared(write_sweep(tmp_path, trials, baseline=BASELINE))
    assert found == {"0-64": ("40-54", 1, 10.0)}


def test_only_what_was_measured_and_can_be_better_is_compared(tmp_path) -> None:
    trials = [trial(layers, seed, 80.0 + seed, nfe=4.0, seconds=3.0) for layers in ("0-64", "40-54") for seed in (0, 1)]
    results = write_sweep(tmp_path, trials, baseline=BASELINE, columns=["ppc", "la", "nfe", "aia", "seconds"])
    assert [each.column for each in summarise(results).comparisons] == ["la", "aia"]


def test_without_a_baseline_nothing_is_compared(tmp_path) -> None:
    assert summarise(write_sweep(tmp_path, [trial("0-64", 0, 1.0), trial("40-54", 0, 1.0)])).comparisons == []


def test_a_row_is_compared_with_the_baseline_that_is_otherwise_like_it(tmp_path) -> None:
    trials = [
        trial(layers, seed, la + seed, case=case)
        for layers, case, la in (("a", "x", 10), ("a", "y", 12), ("b", "x", 20), ("b", "y", 27), ("c", "y", 99))
        for seed in (0, 1)
    ]
    names = {"rows": ["adapter.layers", "case"], "design": ["case", "adapter.layers"], "baseline": {"case": "x"}}
    _, found = compared(write_sweep(tmp_path, trials, **names))
    assert found == {"a · y": ("a · x", 2, 2.0), "b · y": ("b · x", 2, 7.0)}


def test_what_else_varies_within_rows_makes_pairs_as_seeds_do(tmp_path) -> None:
    trials = [
        trial(layers, seed, la + 10 * lr + seed, lr=lr)
        for layers, la in (("0-64", 50), ("40-54", 40))
        for lr in (1, 2, 3)
        for seed in (0, 1)
    ]
    _, found = compared(write_sweep(tmp_path, trials, baseline=BASELINE, design=["adapter.layers", "lr"]))
    assert found == {"0-64": ("40-54", 6, 10.0)}


def test_what_a_row_decides_is_no_obstacle_to_pairs(tmp_path) -> None:
    trials = [
        trial(layers, seed, la, lr=lr) for layers, la, lr in (("0-64", 50, 0.1), ("40-54", 40, 0.3)) for seed in (0, 1)
    ]
    _, found = compared(write_sweep(tmp_path, trials, baseline=BASELINE, design=["adapter.layers", "lr"]))
    assert found == {"0-64": ("40-54", 2, 10.0)}


def test_trials_are_paired_by_all_repeated_names(tmp_path) -> None:
    trials = [
        trial(layers, seed, la + fold, fold=fold)
        for layers, la in (("0-64", 50), ("40-54", 40))
        for seed in (0, 1)
        for fold in (0, 1, 2)
    ]
    _, found = compared(write_sweep(tmp_path, trials, baseline=BASELINE, seeds=["seed", "fold"]))
    assert found == {"0-64": ("40-54", 6, 10.0)}


def test_a_baseline_that_is_a_list_is_found(tmp_path) -> None:
    trials = [trial("x", seed, 5.0 + mult, mult=[1, mult]) for mult in (1, 2) for seed in (0, 1)]
    names = {"rows": "mult", "design": ["mult"], "baseline": {"mult": [1, 1]}}
    _, found = compared(write_sweep(tmp_path, trials, **names))
    assert found == {"[1, 2]": ("[1, 1]", 2, 1.0)}


def test_many_rows_are_compared_as_each_would_be_alone(tmp_path) -> None:
    random = np.random.default_rng(0)
    values = random.normal(80, 3, (40, 5))
    trials = [trial(f"row {row}", seed, la) for row, each in enumerate(values) for seed, la in enumerate(each)]
    results = write_sweep(tmp_path, trials, baseline={"adapter.layers": "row 7"})
    summary, found = compared(results)
    assert len(found) == 39
    for label, (_, n, mean) in found.items():
        assert (n, mean) == (5, pytest.approx((values[int(label.split()[1])] - values[7]).mean()))
    raw = [stats.ttest_rel(values[row], values[7]).pvalue for row in range(40) if row != 7]
    assert summary.comparisons[0].differences.p.min() == pytest.approx(min(min(raw) * 39, 1))
