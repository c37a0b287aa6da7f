"""Trials whose configs are equal are one trial."""

import json
import time
from collections.abc import Callable
from pathlib import Path

from sweeper.space.space import Space
from tests.project import CASES, SPACE, Project

Load = Callable[..., Space]
TWICE = CASES.replace(", remark: as down}", "}")


def test_of_equal_trials_the_first_stays(load: Load) -> None:
    space = load(TWICE)
    assert [trial.label for trial in space.trials[::2]] == [
        "up · 1 · seed 0",
        "up · 2 · seed 0",
        "down · 1 · seed 0",
        "down · 2 · seed 0",
    ]
    assert space.duplicates[0] == ("again · 1 · seed 0", "down · 1 · seed 0")
    assert [dropped for dropped, _ in space.duplicates] == [
        f"again · {size} · seed {seed}" for size in (1, 2) for seed in (0, 1)
    ]


def test_equality_is_of_complete_configs_not_of_what_is_written(load: Load) -> None:
    text = SPACE.partition("axes:")[0] + "cases: {a: {}, b: {branch.size: 1, trunk.pause: 0}, c: {branch.size: '1'}}\n"
    assert [kept for _, kept in load(text).duplicates] == ["a · seed 0", "a · seed 1", "a · seed 0", "a · seed 1"]


def test_a_space_without_equal_trials_has_no_duplicates(load: Load) -> None:
    assert not load(CASES).duplicates
    assert not load(SPACE).duplicates


def test_a_plan_says_what_was_left_out(project: Project) -> None:
    project.write(TWICE)
    assert project.sweeper("plan", "space.yaml").stdout.splitlines()[:2] == [
        "cases: 8 trials, 40 stages, 36 unique, 0 cached, 36 to run",
        "  4 duplicates left out: again · 1 · seed 0 (same config as down · 1 · seed 0) and 3 more",
    ]
    planned = project.sweeper("plan", "space.yaml", "--seeds", "0", "--set", "branch.size=3").stdout.splitlines()
    assert planned[1] == "  1 duplicate left out: again · seed 0 (same config as down · seed 0)"
    summary = json.loads(project.sweeper("plan", "space.yaml", "--json").stdout)
    assert summary["spaces"][0]["duplicates"][3] == ["again · 2 · seed 1", "down · 2 · seed 1"]


def test_the_duplicates_of_an_included_space_stand_below_it(project: Project) -> None:
    project.write(TWICE, "cases.yaml")
    project.write("name: both\ninclude: [cases.yaml, space.yaml]\n", "both.yaml")
    assert project.sweeper("plan", "both.yaml").stdout.splitlines()[1:4] == [
        "  cases: 8 trials, 40 stages, 36 unique, 0 cached",
        "  4 duplicates left out: again · 1 · seed 0 (same config as down · 1 · seed 0) and 3 more",
        "  tiny: 12 trials, 60 stages, 50 unique, 0 cached",
    ]


def test_a_run_has_no_rows_of_duplicates(project: Project) -> None:
    project.write(TWICE)
    done = project.sweeper("run", "space.yaml", "--executor", "inline", "--no-tracking")
    assert done.returncode == 0, done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()[3:7]] == [
        ["1", "up"],
        ["1", "down"],
        ["2", "up"],
        ["2", "down"],
    ]


def test_equal_ones_among_ten_thousand_are_found_in_seconds(load: Load) -> None:
    started = time.process_time()
    space = load(SPACE.replace("[0, 1]", "0-833") + "zip: [{trunk.pause: [0, 0.0]}]\n")
    assert len(space.duplicates) == len(space.trials) == 834 * 6
    assert time.process_time() - started < 10


def test_the_name_of_a_sweep_with_many_set_values_fits_a_directory(load: Load, tmp_path: Path) -> None:
    names = {load(sets=[*["trunk.pause=0.0"] * 30, f"branch.size={size}"]).name for size in (1, 2)}
    assert len(names) == 2
    for name in names:
        (tmp_path / name).mkdir()
