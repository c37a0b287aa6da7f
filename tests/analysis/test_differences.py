import itertools

import numpy as np
import pytest
from scipy import stats

from analysis.differences import LEVEL, POWER, compare, holm, seeds_needed

NAN = float("nan")


def drawn(rows: int, seeds: int, *, level: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seeds).normal(level, 2, (rows, seeds))


@pytest.mark.parametrize("seeds", [2, 3, 10, 40])
def test_means_t_intervals_and_p_values_are_those_of_scipys_paired_test(seeds: int) -> None:
    ours, theirs = np.split(drawn(10, seeds), 2)
    found = compare(ours - theirs)
    test = stats.ttest_rel(ours, theirs, axis=1)
    interval = test.confidence_interval(0.95)
    assert found.mean == pytest.approx((ours - theirs).mean(1))
    assert found.t_interval[:, 0] == pytest.approx(interval.low)
    assert found.t_interval[:, 1] == pytest.approx(interval.high)
    assert found.p == pytest.approx(holm(test.pvalue))


@pytest.mark.parametrize("seeds", [2, 3, 4, 5])
def test_with_few_seeds_the_bootstrap_interval_is_that_of_every_possible_draw(seeds: int) -> None:
    values = drawn(3, seeds)
    found = compare(values).bootstrap_interval
    for row, interval in zip(values, found, strict=True):
        means = np.sort([np.mean(draw) for draw in itertools.product(row, repeat=seeds)])
        low, high = (means[int(np.ceil(point * len(means) - 1e-9)) - 1] for point in (0.025, 0.975))
        assert interval == pytest.approx([low, high])


@pytest.mark.parametrize("seeds", [12, 60])
def test_with_many_seeds_the_bootstrap_interval_is_scipys(seeds: int) -> None:
    values = drawn(3, seeds)
    found = compare(values).bootstrap_interval
    told = stats.bootstrap(
        (values,), np.mean, axis=1, method="percentile", n_resamples=20_000, rng=np.random.default_rng(1)
    ).confidence_interval
    width = told.high - told.low
    assert np.abs(found[:, 0] - told.low).max() < 0.05 * width.min()
    assert np.abs(found[:, 1] - told.high).max() < 0.05 * width.min()


def test_a_pair_that_is_not_whole_does_not_count() -> None:
    values = np.array([[1.0, NAN, 2.0, 4.0], [NAN, NAN, 5.0, NAN], [NAN] * 4])
    found = compare(values)
    alone = compare(np.array([[1.0, 2.0, 4.0]]))
    assert found.n.tolist() == [3, 1, 0]
    assert found.mean[:2].tolist() == [pytest.approx(7 / 3), 5.0]
    assert np.isnan(found.mean[2])
    for name in ("t_interval", "bootstrap_interval", "p"):
        assert getattr(found, name)[0] == pytest.approx(getattr(alone, name)[0])
        assert np.isnan(getattr(found, name)[1:]).all()


def test_differences_that_are_all_the_same_have_no_test() -> None:
    found = compare(np.array([[0.5, 0.5, 0.5], [0.0, 0.0, 0.0], [0.5, 0.6, 0.7]]))
    assert np.isnan(found.p[:2]).all()
    assert np.isnan(found.t_interval[:2]).all()
    assert found.bootstrap_interval[0].tolist() == [0.5, 0.5]
    assert found.p[2] == pytest.approx(stats.ttest_1samp([0.5, 0.6, 0.7], 0).pvalue)


def test_the_same_differences_have_the_same_interval_every_time() -> None:
    values = drawn(2, 20)
    assert compare(values).bootstrap_interval.tolist() == compare(values).bootstrap_interval.tolist()


def test_holms_correction_rejects_what_the_step_by_step_procedure_rejects() -> None:
    random = np.random.default_rng(3)
    for _ in range(200):
        p = random.random(6) ** 4
        rejected = set()
        for step, index in enumerate(np.argsort(p)):
            if p[index] > LEVEL / (6 - step):
                break
            rejected.add(index)
        assert set(np.flatnonzero(holm(p) <= LEVEL)) == rejected


def test_rows_without_a_p_value_do_not_count_for_the_correction() -> None:
    assert holm(np.array([0.01, NAN, 0.02]))[[0, 2]].tolist() == [0.02, 0.02]
    assert np.isnan(holm(np.array([0.01, NAN, 0.02]))[1])


@pytest.mark.parametrize("tests", [1, 10])
@pytest.mark.parametrize("effect", [0.3, 0.7, 1.5])
def test_the_seeds_needed_give_the_power_by_the_noncentral_t_distribution(effect: float, tests: int) -> None:
    def power(n: float) -> float:
        limit, shift = stats.t.isf(LEVEL / tests / 2, n - 1), effect * np.sqrt(n)
        return stats.nct.sf(limit, n - 1, shift) + stats.nct.cdf(-limit, n - 1, shift)

    [needed] = seeds_needed(np.array([-2 * effect]), np.array([2.0]), tests)
    assert power(needed + 1) >= POWER > power(needed - 2)


def test_no_number_of_seeds_finds_a_difference_of_nothing() -> None:
    assert seeds_needed(np.array([0.0, 0.01]), np.array([1.0, 1.0]), 1).tolist() == [np.inf, np.inf]
