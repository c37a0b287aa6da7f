"""Values that were tuned for one preset are used with that preset alone."""

import pytest
from inline_snapshot import snapshot

from sweeper.planning.counts import headline, summarise
from sweeper.planning.graph import Graph
from sweeper.space.sweep import load_sweep
from sweeper.store.local.directory import Directory
from tests.project import CASES, Project

TUNED = CASES + "tuned: {small: {fixed: {trunk.pause: 0.25}, cases: {up: {trunk.steps: 7}}}}\n"


@pytest.fixture
def tuned(project: Project) -> Project:
    project.write(TUNED)
    return project


def steps(project: Project, **given: object) -> dict[str, tuple[int, float]]:
    """Steps and pause by case."""
    [space] = load_sweep(project.path / "space.yaml", **given).spaces
    return {trial.row["case"]: (trial.config.trunk.steps, trial.config.trunk.pause) for trial in space.trials}


def test_they_win_over_fixed_values_and_those_of_cases(tuned: Project) -> None:
    assert steps(tuned) == {"up": (7, 0.25), "down": (3, 0.25), "again": (3, 0.25)}


def test_another_preset_keeps_its_own_and_the_plan_says_so(tuned: Project, store: Directory) -> None:
    assert steps(tuned, preset="slow")["up"][0] == 2
    sweep = load_sweep(tuned.path / "space.yaml", preset="slow")
    printed = headline(summarise(Graph.of(sweep), store))
    assert "  tuned for small, not used with preset slow: trunk.pause, trunk.steps" in printed.splitlines()


def test_what_is_set_on_the_command_line_wins(tuned: Project) -> None:
    assert {count for count, _ in steps(tuned, sets=["trunk.steps=5"]).values()} == {5}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "tuned: {smal: {fixed: {trunk.steps: 1}}}",
            snapshot("""\
error: space.yaml:13:9: tuned: unknown preset 'smal'
  fix: did you mean small?
"""),
        ),
        (
            "tuned: {small: {cases: {upp: {trunk.steps: 1}}}}",
            snapshot("""\
error: space.yaml:13:25: tuned: unknown case 'upp'
  fix: did you mean up?
"""),
        ),
        (
            "tuned: {slow: {fixed: {trunk.stps: 1}}}",
            snapshot("""\
error: space.yaml:13:24: unknown name 'trunk.stps'
  fix: did you mean trunk.steps?
"""),
        ),
        (
            "tuned: {small: {axes: {trunk.steps: [1]}}}",
            snapshot("""\
error: space.yaml:13:17: unknown key 'axes'
  fix: did you mean cases?
"""),
        ),
        (
            "tuned: {small: {fixed: {branch.size: 1}}}",
            snapshot("""\
error: space.yaml:11:3: 'branch.size' is both fixed and an axis
  fix: remove one of the two
"""),
        ),
    ],
)
def test_a_mistake_is_answered_at_its_place_whatever_preset_is_run(project: Project, text: str, error: str) -> None:
    project.write(f"{CASES}{text}\n")
    done = project.sweeper("plan", "space.yaml")
    assert done.returncode == 2
    assert done.stderr == error
