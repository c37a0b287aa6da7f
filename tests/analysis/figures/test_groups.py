import math
from pathlib import Path

import numpy as np

from analysis.figures.groups import groups_of, main_metric, over_trials, spread, stacked
from tests.analysis.figures.small import cases, solvers
from tests.analysis.sweeps import UNRUN


def test_rows_follow_the_table_by_their_first_name_and_then_the_second(tmp_path: Path) -> None:
    labels = [group.label for group in groups_of(solvers(tmp_path))]
    assert labels == ["1 · 2", "1 · 4", "2 · 2", "2 · 4", "10 · 2", "10 · 4"]


def test_a_row_that_is_not_whole_says_how_many_trials_were_averaged(tmp_path: Path) -> None:
    results = cases(tmp_path, {"mul": [{"la": 80.0}, UNRUN, UNRUN], "add": [{"la": 60.0}]})
    mul, add = groups_of(results)
    assert mul.told(1) == "mul (n=1 of 3)"
    assert add.told(1) == "add"


def test_a_number_is_averaged_over_the_trials_that_have_a_finite_one(tmp_path: Path) -> None:
    (group,) = groups_of(cases(tmp_path, {"mul": [{"la": 80.0}, {"la": 83.0}, {"la": math.nan}, {"la": None}, UNRUN]}))
    found = spread(group, "la")
    assert found
    assert (found.mean, found.n, found.trials, found.whole) == (81.5, 2, 5, False)
    assert found.std == np.std([80, 83], ddof=1)
    assert spread(group, "fid") is None


def test_tasks_that_a_trial_lacks_are_no_mean_of_the_others() -> None:
    mean, std = over_trials(stacked([[[90.0], [80.0, 70.0]], [[92.0], [None, 72.0]]], [2, 2]))
    assert np.array_equal(mean, [[91.0, math.nan], [math.nan, 71.0]], equal_nan=True)
    assert np.array_equal(std, [[math.sqrt(2), math.nan], [math.nan, math.sqrt(2)]], equal_nan=True)


def test_the_first_metric_of_the_table_that_can_be_better_is_the_main_one(tmp_path: Path) -> None:
    rows = {"mul": [{"la": 80.0}]}
    assert main_metric(cases(tmp_path / "a", rows, columns=["ppc", "nfe", "fm_loss", "la"])) == "fm_loss"
    assert main_metric(cases(tmp_path / "b", rows, columns=["ppc", "seconds"])) == "aia"
    assert main_metric(cases(tmp_path / "c", rows, columns=["ppc"], numbers={})) is None
