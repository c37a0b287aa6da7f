"""Statistics of differences paired by seed, for many rows at a time.

For every row x_1 … x_n of differences, with mean m and standard deviation s (with n - 1):

- t interval: m ± t(0.975, n - 1) s / √n, and the p-value of the paired t-test (scipy.stats.ttest_1samp);
- bootstrap interval: the 2.5 % and 97.5 % points of the mean of n draws with replacement (Efron's percentile method);
  over all possible draws, weighted by their probability, if they are few, and over random ones otherwise. With three
  seeds it ends at the smallest and largest difference, which is too narrow: trust the t interval then;
- Holm's correction of the p-values for the number of rows (Holm 1979);
- seeds needed, approximately: n at which a paired t-test finds a difference of m with deviation s in four of five
  cases (power 0.8) at the level of Holm's first step, a = 0.05 / rows: with the normal quantiles z,
  ((z(1 - a/2) + z(0.8)) s / m)² + z(1 - a/2)² / 2 (Guenther 1981).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

LEVEL = 0.05
SAME = 1e-9
"""Relative tolerance below which differences are equal up to rounding."""
POWER = 0.8
MAX_SEEDS = 1000
"""Seeds needed that are reported at most."""
EXACT = 7
"""Values up to which all distinct draws are enumerated: there are 1,716 of 7 values."""
RESAMPLES = (1000, 10_000)
"""Random draws, at least and at most."""
WORK = 1_000_000_000
"""Multiplications that random draws may take for a table; up to 100,000 trials allow the most draws."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Differences:
    """Statistics of R rows; NaN where undefined, as for a single pair. All (R,), intervals (R, 2)."""

    n: NDArray[np.int64]
    """Pairs."""
    mean: Floats
    t_interval: Floats
    bootstrap_interval: Floats
    p: Floats
    """P-values, corrected for the number of rows that have one."""
    needed: Floats
    """Seeds needed; infinite for more than `MAX_SEEDS`."""


def compare(differences: Floats) -> Differences:
    """Return the statistics of differences (R, S), NaN where a pair is incomplete."""
    rows, width = differences.shape
    order = np.argsort(np.isnan(differences), axis=1, kind="stable")
    packed = np.take_along_axis(differences, order, axis=1)  # pairs first: a row is the first n of its values
    n = width - np.isnan(differences).sum(1)
    mean, p, needed = (np.full(rows, np.nan) for _ in range(3))
    t_interval, bootstrap_interval = np.full((rows, 2), np.nan), np.full((rows, 2), np.nan)
    spread = np.full(rows, np.nan)
    for count in np.unique(n[n > 0]):
        these = n == count
        values = packed[these, :count]
        mean[these] = values.mean(1)
        if count > 1:
            spread[these] = values.std(1, ddof=1)
            bootstrap_interval[these] = _bootstrap(values)
            p[these], t_interval[these] = _t_test(values)
    tested = np.isfinite(p)
    needed[tested] = seeds_needed(mean[tested], spread[tested], int(tested.sum()))
    return Differences(n, mean, t_interval, bootstrap_interval, holm(p), needed)


def holm(p: Floats) -> Floats:
    """Correct p-values (R,) by Holm's method for the number of those that are not NaN."""
    found = np.flatnonzero(np.isfinite(p))
    order = found[np.argsort(p[found], kind="stable")]
    corrected = np.full_like(p, np.nan)
    corrected[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)))
    return corrected


def seeds_needed(mean: Floats, spread: Floats, tests: int) -> Floats:
    """Return the pairs (R,) needed to detect differences of this mean and standard deviation; see the module."""
    limit = stats.norm.isf(LEVEL / max(tests, 1) / 2)
    with np.errstate(divide="ignore"):
        effect = np.abs(mean) / spread
        needed = ((limit + stats.norm.ppf(POWER)) / effect) ** 2 + limit**2 / 2
    return np.where(needed > MAX_SEEDS, np.inf, np.ceil(needed))


def _t_test(values: Floats) -> tuple[Floats, Floats]:
    """Return p-values (R,) and intervals (R, 2) of values (R, n); NaN if all values of a row are the same."""
    p, interval = np.full(len(values), np.nan), np.full((len(values), 2), np.nan)
    varied = np.ptp(values, axis=1) > SAME * np.abs(values).max(1)
    if varied.any():
        test = stats.ttest_1samp(values[varied], 0, axis=1)
        limits = test.confidence_interval(1 - LEVEL)
        p[varied], interval[varied] = test.pvalue, np.stack([limits.low, limits.high], axis=1)
    return p, interval


def _bootstrap(values: Floats) -> Floats:
    """Return percentile intervals (R, 2) of the mean of values (R, n). All rows use the same draws."""
    n = values.shape[1]
    points = np.array([LEVEL / 2, 1 - LEVEL / 2])
    if n <= EXACT:
        counts, probability = _all_draws(n)
        means = values @ counts.T / n
        order = means.argsort(axis=1)
        reached = probability[order].cumsum(1)
        places = np.stack([(reached >= point - 1e-12).argmax(1) for point in points], axis=1)
        return np.take_along_axis(np.take_along_axis(means, order, 1), places, 1)
    draws = int(np.clip(WORK // values.size, *RESAMPLES))
    means = values @ _random_draws(n, draws).T / n
    ends = np.ceil(points * draws).astype(int) - 1
    means.partition(ends, axis=1)
    found: Floats = means[:, ends]
    return found


@cache
def _all_draws(n: int) -> tuple[Floats, Floats]:
    """Return the counts (K, n) of n values in each outcome of n draws, and the probability (K,) of each outcome."""
    outcomes = itertools.combinations_with_replacement(range(n), n)
    counts = np.array([np.bincount(outcome, minlength=n) for outcome in outcomes], float)
    factorials = np.array([math.factorial(count) for count in range(n + 1)], float)
    ways = factorials[n] / factorials[counts.astype(int)].prod(1)
    return counts, ways / n**n


@lru_cache(maxsize=1)
def _random_draws(n: int, draws: int) -> Floats:
    """Return the counts (``draws``, n) of n values in random draws, with a fixed seed."""
    random = np.random.default_rng(0)
    counts = np.empty((draws, n))
    for row in counts:
        row[:] = np.bincount(random.integers(n, size=n), minlength=n)
    return counts
