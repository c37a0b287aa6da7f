from collections.abc import Callable
from pathlib import Path

import pytest

from sweeper.space.space import Space
from sweeper.space.sweep import load_sweep
from tests.project import CASES, SPACE

Load = Callable[..., Space]


def test_a_space_is_the_grid_of_its_axes_times_its_seeds(load: Load) -> None:
    space = load()
    assert len(space.trials) == 2 * 3 * 2
    labels = [trial.label for trial in space.trials[:3]]
    assert labels == ["plus · 1 · seed 0", "plus · 1 · seed 1", "plus · 2 · seed 0"]
    assert space.trials[-1].config.branch.kind == "minus"
    assert space.trials[-1].config.seed == 1
    assert space.trials[-1].facts == {"cost": 300}


@pytest.mark.parametrize(("given", "meant"), [("0-2", [0, 1, 2]), ("5", [5]), ("0,3-4", [0, 3, 4]), ("0, 2", [0, 2])])
def test_seeds_may_be_given_on_the_command_line(load: Load, given: str, meant: list[int]) -> None:
    assert sorted({trial.seed for trial in load(seeds=given).trials}) == meant


def test_the_same_sweep_with_more_seeds_keeps_its_name(load: Load) -> None:
    assert load(seeds="0-4").name == "tiny"


def test_a_set_value_replaces_an_axis_and_names_the_sweep(load: Load) -> None:
    space = load(sets=["branch.size=4"])
    assert {trial.config.branch.size for trial in space.trials} == {4}
    assert len(space.trials) == 4
    assert space.name == "tiny-branch.size=4"


def test_another_preset_names_the_sweep(load: Load) -> None:
    space = load(preset="slow")
    assert space.trials[0].config.trunk.steps == 40
    assert space.name == "tiny-slow"


def test_fixed_values_apply_to_every_trial(load: Load) -> None:
    space = load(SPACE + "fixed: {trunk.steps: 2}\n")
    assert {trial.config.trunk.steps for trial in space.trials} == {2}


def test_a_set_value_is_read_as_yaml_would_read_it(load: Load) -> None:
    assert load(sets=["trunk.pause=1e-3"]).trials[0].config.trunk.pause == 0.001


def test_a_trial_is_a_case_at_a_point_of_the_grid_with_a_seed(load: Load) -> None:
    space = load(CASES)
    assert [trial.label for trial in space.trials[:5]] == [
        "up · 1 · seed 0",
        "up · 1 · seed 1",
        "up · 2 · seed 0",
        "up · 2 · seed 1",
        "down · 1 · seed 0",
    ]
    assert len(space.trials) == 3 * 2 * 2
    assert [trial.config.branch.kind for trial in space.trials] == ["plus"] * 4 + ["minus"] * 8


def test_a_case_wins_over_what_is_fixed_for_the_others(load: Load) -> None:
    assert [trial.config.trunk.steps for trial in load(CASES).trials] == [2] * 4 + [3] * 8


def test_a_set_value_wins_over_cases_too(load: Load) -> None:
    space = load(CASES, sets=["branch.kind=plus"])
    assert {trial.config.branch.kind for trial in space.trials} == {"plus"}
    assert [trial.label for trial in space.trials[::4]] == [f"{case} · 1 · seed 0" for case in ("up", "down", "again")]


def test_without_a_table_the_cases_and_axes_are_the_rows(load: Load) -> None:
    assert load(CASES.partition("table:")[0]).table.rows == ["case", "branch.size"]
    assert load(SPACE.partition("table:")[0]).table.rows == ["branch.kind", "branch.size"]


def test_a_case_without_overrides_is_the_preset(load: Load) -> None:
    trial = load("name: x\ntrainable: tests.tiny\npreset: small\ncases: {base: {}}\n").trials[0]
    assert trial.label == "base · seed 0"
    assert trial.config.branch.size == 1


def test_every_shipped_space_is_valid() -> None:
    paths = sorted((Path(__file__).parents[3] / "search_spaces").rglob("*.yaml"))
    assert paths
    for path in paths:
        assert all(space.trials or space.searched for space in load_sweep(path).spaces)


def test_trials_share_the_parts_of_their_configs_that_agree(load: Callable[..., Space]) -> None:
    first, second, *_, last = load().trials
    assert (first.seed, second.seed) == (first.config.seed, second.config.seed) == (0, 1)
    assert first.config.branch is second.config.branch
    assert first.config.trunk is last.config.trunk
