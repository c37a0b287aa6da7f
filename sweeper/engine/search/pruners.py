"""Pruners: Optuna's, except for the median."""

from __future__ import annotations

from statistics import median

from optuna import Study
from optuna.pruners import BasePruner, HyperbandPruner, SuccessiveHalvingPruner, WilcoxonPruner
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from sweeper.space.search_schema import Pruner

N_STARTUP_TRIALS = 5
"""Finished suggestions before the median of any stops another."""
REDUCTION = 3
"""At every rung of hyperband and successive halving, one of so many continues."""


class MedianOfStep(BasePruner):
    """Stops a suggestion whose value after a step is worse than the median of the finished ones after that step.

    Optuna's own takes the best value of all steps so far, as of a training whose loss falls. The accuracy of a
    class-incremental run falls with every task, so that the first task's would keep everything alive.
    """

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Check whether to stop the suggestion."""
        step = trial.last_step
        finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        others = [each.intermediate_values[step] for each in finished if step in each.intermediate_values]
        if step is None or len(others) < N_STARTUP_TRIALS:
            return False
        value, middle = trial.intermediate_values[step], median(others)
        return value < middle if study.direction == StudyDirection.MAXIMIZE else value > middle


def make_pruner(name: Pruner, steps: int) -> BasePruner:
    """Return a pruner by name.

    Args:
        name: which.
        steps: values that a suggestion reports, over all its tasks and seeds.
    """
    match name:
        case "median":
            return MedianOfStep()
        case "hyperband":
            return HyperbandPruner(min_resource=1, max_resource=steps, reduction_factor=REDUCTION)
        case "successive_halving":
            return SuccessiveHalvingPruner(min_resource=1, reduction_factor=REDUCTION)
        case "wilcoxon":
            return WilcoxonPruner()
