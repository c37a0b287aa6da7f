"""Which suggestions the pruners stop, and when: studies of written values, told step by step."""

from collections.abc import Sequence

import optuna
import pytest
from optuna.pruners import BasePruner, MedianPruner
from optuna.trial import TrialState

from sweeper.engine.search.pruners import N_STARTUP_TRIALS, make_pruner

FALLING = [90.0, 80.0, 70.0]
"""Accuracy after every task of a class-incremental run."""


def study_of(pruner: BasePruner, direction: str = "maximize") -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(study_name="hunt", direction=direction, pruner=pruner)


def stopped_after(study: optuna.Study, values: Sequence[float], first: int = 1) -> int | None:
    """The step after which the next suggestion is stopped, whose values these are; None for one that ends."""
    trial = study.ask()
    for step, value in enumerate(values, first):
        trial.report(value, step)
        if trial.should_prune():
            study.tell(trial, state=TrialState.PRUNED)
            return step
    study.tell(trial, values[-1])
    return None


def after_the_first(pruner: BasePruner, values: Sequence[float]) -> int | None:
    """When a suggestion is stopped that comes after enough of those whose values fall."""
    study = study_of(pruner)
    assert [stopped_after(study, FALLING) for _ in range(N_STARTUP_TRIALS)] == [None] * N_STARTUP_TRIALS
    return stopped_after(study, values)


def test_the_median_stops_what_falls_below_it_though_values_fall_anyway() -> None:
    forgetful = [95.0, 50.0, 40.0]
    assert after_the_first(make_pruner("median", 3), forgetful) == 2
    assert after_the_first(MedianPruner(), forgetful) is None  # for which the first value, the best, still counts


def test_the_median_stops_no_equal_and_nothing_before_there_are_enough() -> None:
    assert after_the_first(make_pruner("median", 3), FALLING) is None
    study = study_of(make_pruner("median", 3))
    assert [stopped_after(study, FALLING) for _ in range(N_STARTUP_TRIALS - 1)] == [None] * (N_STARTUP_TRIALS - 1)
    assert stopped_after(study, [0.0, 0.0, 0.0]) is None
    assert stopped_after(study, [0.0, 0.0, 0.0]) == 1


def test_the_median_of_what_is_to_be_small_stops_what_is_large() -> None:
    study = study_of(make_pruner("median", 2), "minimize")
    for loss in (1.0, 2.0, 3.0, 4.0, 5.0):
        stopped_after(study, [loss, loss])
    assert stopped_after(study, [2.9, 3.1]) == 2
    assert stopped_after(study, [3.1, 0.0]) == 1


def test_stopped_ones_do_not_raise_the_median() -> None:
    study = study_of(make_pruner("median", 2))
    for _ in range(N_STARTUP_TRIALS):
        stopped_after(study, [50.0, 50.0])
    assert [stopped_after(study, [10.0, 10.0]) for _ in range(N_STARTUP_TRIALS)] == [1] * N_STARTUP_TRIALS
    assert stopped_after(study, [50.0, 50.0]) is None


def test_successive_halving_lets_one_of_three_go_on_at_every_rung() -> None:
    study = study_of(make_pruner("successive_halving", 9))
    worse_and_worse = [stopped_after(study, [float(-number)] * 9) for number in range(9)]
    assert worse_and_worse == [None] + [1] * 8
    assert stopped_after(study, [1.0, 1.0, *[-9.0] * 7]) == 3  # the second rung: better only at the first


@pytest.mark.parametrize("steps", [5, 9, 27])
def test_hyperband_stops_bad_ones_in_all_brackets_but_the_last(steps: int) -> None:
    study = study_of(make_pruner("hyperband", steps))
    ended = [stopped_after(study, [float(-number)] * steps) for number in range(40)]
    assert 0 < ended.count(None) < 20
    assert set(ended) >= {1, None}


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_wilcoxon_stops_what_loses_with_four_seeds_of_five() -> None:
    study = study_of(make_pruner("wilcoxon", 15))
    assert stopped_after(study, [10.0, 11.0, 12.0, 13.0, 14.0], first=0) is None
    assert stopped_after(study, [9.0, 10.5, 11.0, 12.0, 13.0], first=0) == 3
    assert stopped_after(study, [11.0, 10.5, 13.0, 12.0, 15.0], first=0) is None
