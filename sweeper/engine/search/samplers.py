"""Samplers: Optuna's, with settings for the few hundred suggestions that an ablation can afford."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import numpy as np
from optuna.samplers import (
    BaseSampler,
    BruteForceSampler,
    GPSampler,
    NSGAIISampler,
    QMCSampler,
    RandomSampler,
    TPESampler,
)

from sweeper.space.search_schema import Sampler

SAMPLERS: tuple[Sampler, ...] = get_args(Sampler)
N_STARTUP_TRIALS = 10
"""Suggestions before TPE models any: Optuna's default, or a tenth of all, as a model of few overfits them."""
LARGEST_POPULATION = 50
"""Optuna's default."""
GENERATIONS = 20
"""Generations that NSGA-II has at least, unless SMALLEST_POPULATION prevents it: from few it learns nothing."""
SMALLEST_POPULATION = 8


def make_sampler(name: Sampler, seed: int, trials: int, number: int) -> BaseSampler:
    """Return a sampler by name, for one suggestion: its draws do not depend on earlier ones in this process.

    tpe takes account of suggestions under way as if they were bad ("constant liar"), gp with its own expectation; grid
    and qmc never suggest them twice, nor does a study, see `sweeper.engine.search.study.Study.ask`.

    Args:
        name: which.
        seed: of its random numbers.
        trials: suggestions that are asked for in all.
        number: of the suggestion.
    """
    own = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
    match name:
        case "tpe":
            startup = max(N_STARTUP_TRIALS, trials // 10)
            return TPESampler(seed=own, n_startup_trials=startup, multivariate=True, constant_liar=True)
        case "gp":
            return GPSampler(seed=own)
        case "nsga2":
            population = min(LARGEST_POPULATION, max(SMALLEST_POPULATION, trials // GENERATIONS))
            return NSGAIISampler(seed=own, population_size=population)
        case "random":
            return RandomSampler(seed=own)
        case "grid":
            return _Grid(seed=own)
        case "qmc":
            return QMCSampler(
                seed=seed,
                scramble=True,
                independent_sampler=RandomSampler(seed=own),
                warn_asynchronous_seeding=False,
                warn_independent_sampling=False,
            )


class _Grid(BruteForceSampler):
    """Samples every combination once, in random order. The caller knows their number."""

    def after_trial(self, study: Any, trial: Any, state: Any, values: Sequence[float] | None) -> None:
        """Do nothing: Optuna's own would stop a loop that does not exist here."""
