"""What varies: groups, one name at a time, conditions, the baseline, repeats; and what is refused of it."""

import json
from collections.abc import Callable

import pyarrow.parquet as pq
import pytest
from inline_snapshot import snapshot

from sweeper.space.space import Space
from tests.project import CASES, SPACE, Project

Load = Callable[..., Space]
HEAD = "name: tiny\ntrainable: tests.tiny\npreset: small\n"
ZIP = f"""\
{HEAD}zip:
  - branch.kind: [plus, minus]
    trunk.steps: [2, 3]
  - branch.size: [1, 2]
"""
ONE = f"""\
{HEAD}baseline: {{branch.kind: plus, branch.size: 2}}
one_at_a_time:
  branch.kind: [plus, minus]
  branch.size: [1, 3]
"""
WHERE = f"{SPACE}where: branch.kind == 'plus' or branch.size > 2 and seed == 0\n"
BASELINE = f"{SPACE}baseline: {{branch.kind: minus}}\n"
REPEAT = f"""\
{HEAD}seeds: [3, 4]
repeat: {{trunk.steps: 1-2}}
axes: {{branch.kind: [minus]}}
"""


def labels(space: Space) -> list[str]:
    """Without the seed, which is 0."""
    return [trial.label.removesuffix(" · seed 0") for trial in space.trials]


def test_the_lists_of_a_group_move_together_and_groups_make_a_grid(load: Load) -> None:
    space = load(ZIP)
    assert labels(space) == ["plus · 2 · 1", "plus · 2 · 2", "minus · 3 · 1", "minus · 3 · 2"]
    assert space.table.rows == ["branch.kind", "trunk.steps", "branch.size"]


def test_groups_are_combined_with_cases_and_axes(load: Load) -> None:
    space = load(
        f"{HEAD}cases: {{a: {{}}, b: {{trunk.steps: 3}}}}\naxes: {{branch.kind: [minus, plus]}}\n"
        "zip: [{branch.size: [4, 5]}]\n"
    )
    assert labels(space) == [f"{case} · {kind} · {n}" for case in "ab" for kind in ("minus", "plus") for n in (4, 5)]


def test_one_name_at_a_time_leaves_the_baseline(load: Load) -> None:
    space = load(ONE)
    assert labels(space) == ["plus · 2", "minus · 2", "plus · 1", "plus · 3"]
    assert space.baseline == {"branch.kind": "plus", "branch.size": 2}
    assert not space.duplicates


def test_one_name_at_a_time_is_combined_with_cases(load: Load) -> None:
    space = load(f"{ONE}cases: {{a: {{}}, b: {{trunk.steps: 3}}}}\n")
    assert len(space.trials) == 2 * 4
    assert labels(space)[4] == "b · plus · 2"


@pytest.mark.parametrize(
    ("text", "assignment", "expected"),
    [
        (ZIP, "trunk.steps=7", snapshot(["plus · 1", "plus · 2", "minus · 1", "minus · 2"])),
        (ZIP, "branch.size=7", snapshot(["plus · 2", "minus · 3"])),
        (ZIP.replace("minus", "plus"), "trunk.steps=7", snapshot(["plus · 1", "plus · 2"])),
        (ONE, "branch.size=7", ["plus", "minus"]),
        (f"{HEAD}cases: {{a: {{branch.size: 3}}, b: {{trunk.steps: 3}}}}\n", "branch.size=7", ["a", "b"]),
    ],
)
def test_a_set_value_wins_over_whatever_varies_its_name(
    load: Load, text: str, assignment: str, expected: list[str]
) -> None:
    space = load(text, sets=[assignment])
    name, value = assignment.split("=")
    assert labels(space) == expected
    assert name not in space.trials[0].row
    assert name not in space.baseline
    assert {str(trial.config.model_dump()[name.split(".")[0]][name.split(".")[1]]) for trial in space.trials} == {value}


def test_a_condition_keeps_trials(load: Load) -> None:
    kept = [trial.label for trial in load(WHERE).trials]
    assert kept == [f"plus · {size} · seed {seed}" for size in (1, 2, 3) for seed in (0, 1)] + ["minus · 3 · seed 0"]


def test_a_condition_sees_values_of_the_preset_and_of_cases(load: Load) -> None:
    trials = load(f"{CASES}where: trunk.steps == 2 and trunk.pause == 0 or case == 'again'\n").trials
    assert {trial.row["case"] for trial in trials} == {"up", "again"}


def test_a_condition_drops_what_the_config_would_refuse(load: Load) -> None:
    text = SPACE.replace("[1, 2, 3]", "[1, 2, 30]")
    assert len(load(f"{text}where: branch.size < 10\n").trials) == 2 * 2 * 2


def test_numbers_with_an_exponent_alone_are_numbers(load: Load) -> None:
    trials = load(f"{HEAD}axes: {{trunk.pause: [1e-3, 1.5e+1]}}\nwhere: trunk.pause < 0.01\n").trials
    assert [trial.row for trial in trials] == [{"trunk.pause": 0.001}]


def test_the_baseline_stands_in_the_results_and_below_the_table(project: Project) -> None:
    project.write(BASELINE)
    done = project.sweeper("run", "space.yaml", "--executor", "inline", "--no-tracking")
    assert done.returncode == 0, done.stderr
    assert "\nbaseline: branch.kind minus\n" in done.stdout
    metadata = pq.read_schema(project.path / "runs/results/tiny/trials.parquet").metadata
    assert json.loads(metadata[b"sweeper.table"])["baseline"] == {"branch.kind": "minus"}


def test_the_baseline_is_written_as_the_results_have_it(load: Load) -> None:
    text = f"{HEAD}axes: {{trunk.pause: [0, 1]}}\ncases: {{a: {{}}}}\nbaseline: {{trunk.pause: 1, case: a}}\n"
    assert json.dumps(load(text).baseline) == '{"trunk.pause": 1.0, "case": "a"}'


def test_rows_are_repeated_over_any_field_of_the_config(load: Load) -> None:
    space = load(REPEAT)
    assert [trial.label for trial in space.trials] == [
        "minus · seed 3 · steps 1",
        "minus · seed 3 · steps 2",
        "minus · seed 4 · steps 1",
        "minus · seed 4 · steps 2",
    ]
    assert [(trial.seed, trial.config.trunk.steps) for trial in space.trials] == [(3, 1), (3, 2), (4, 1), (4, 2)]
    assert {tuple(trial.row) for trial in space.trials} == {("branch.kind",)}
    assert space.repeated == ["seed", "trunk.steps"]


def test_seeds_are_short_for_repeated_seeds(load: Load) -> None:
    short, long = (load(f"{HEAD}{text}\n") for text in ("seeds: 2-4", "repeat: {seed: 2-4}"))
    assert [trial.label for trial in short.trials] == [trial.label for trial in long.trials]
    assert [trial.config for trial in short.trials] == [trial.config for trial in long.trials]
    assert short.repeated == long.repeated == ["seed"]


def test_seeds_of_the_command_line_replace_repeated_seeds(load: Load) -> None:
    trials = load(f"{HEAD}repeat: {{trunk.steps: 1-2, seed: 2-4}}\n", seeds="7").trials
    assert [trial.repeats for trial in trials] == [{"seed": 7, "trunk.steps": steps} for steps in (1, 2)]


def test_a_condition_may_ask_for_a_repeated_name(load: Load) -> None:
    trials = load(f"{REPEAT}where: trunk.steps == seed - 2\n").trials
    assert [trial.label for trial in trials] == ["minus · seed 3 · steps 1", "minus · seed 4 · steps 2"]


def test_a_set_value_ends_the_repetition_of_its_name(load: Load) -> None:
    space = load(REPEAT, sets=["trunk.steps=7"])
    assert [(trial.label, trial.config.trunk.steps) for trial in space.trials] == [
        ("minus · seed 3", 7),
        ("minus · seed 4", 7),
    ]
    assert space.repeated == ["seed"]


MISTAKES = {
    "unequal lengths": (
        ZIP.replace("[2, 3]", "[2, 3, 4]"),
        snapshot("""\
error: space.yaml:6:5: trunk.steps: 3 values, but branch.kind has 2
  fix: give all lists of a group the same length
"""),
    ),
    "a row of a group twice": (
        ZIP.replace("[plus, minus]", "[plus, plus]").replace("[2, 3]", "[2, 2]"),
        snapshot("""\
error: space.yaml:5:25: branch.kind, trunk.steps: 'plus', 2 is given twice
  fix: remove one
"""),
    ),
    "name in two groups": (
        ZIP.replace("branch.size", "trunk.steps"),
        snapshot("""\
error: space.yaml:7:5: 'trunk.steps' is in two groups of zip
  fix: remove one of the two
"""),
    ),
    "name in zip and fixed": (
        f"{ZIP}fixed: {{branch.size: 1}}\n",
        snapshot("""\
error: space.yaml:7:5: 'branch.size' is both fixed and in zip
  fix: remove one of the two
"""),
    ),
    "name in zip and an axis": (
        f"{ZIP}axes: {{branch.size: [1]}}\n",
        snapshot("""\
error: space.yaml:7:5: 'branch.size' is both an axis and in zip
  fix: remove one of the two
"""),
    ),
    "name in zip and a case": (
        f"{ZIP}cases: {{a: {{branch.size: 1}}}}\n",
        snapshot("""\
error: space.yaml:8:13: 'branch.size' is both in case a and in zip
  fix: remove one of the two
"""),
    ),
    "unknown name in zip": (
        ZIP.replace("trunk.steps", "trunk.step"),
        snapshot("""\
error: space.yaml:6:5: unknown name 'trunk.step'
  fix: did you mean trunk.steps?
"""),
    ),
    "seed in zip": (
        ZIP.replace("trunk.steps", "seed"),
        snapshot("""\
error: space.yaml:6:12: 'seed' is already set by seeds
  fix: list the seeds: seeds: [0, 1, 2]
"""),
    ),
    "empty group": (
        f"{HEAD}zip: [{{}}]\n",
        snapshot("""\
error: space.yaml:4:7: zip.0 is empty
  fix: give it at least one value, or remove it
"""),
    ),
    "empty list in a group": (
        ZIP.replace("[1, 2]", "[]"),
        snapshot("""\
error: space.yaml:7:18: zip.1.branch.size is empty
  fix: give it at least one value, or remove it
"""),
    ),
    "zip that is no list": (
        f"{HEAD}zip: {{branch.size: [1]}}\n",
        snapshot("""\
error: space.yaml:4:6: zip: expected a valid list
  fix: zip: groups of lists that vary together, such as [{lr: [0.1, 0.2], steps: [20, 10]}]
"""),
    ),
    "a group's value that the config refuses": (
        ZIP.replace("[2, 3]", "[2, 0]"),
        snapshot("""\
error: space.yaml:6:22: trunk.steps: expected greater than or equal to 1, got 0
  fix: trunk.steps: links of the chain, 5 in preset small
"""),
    ),
    "one at a time without a baseline": (
        ONE.replace(", branch.size: 2", ""),
        snapshot("""\
error: space.yaml:7:3: one_at_a_time: 'branch.size' has no baseline
  fix: add its value to baseline: {branch.size: ...}
"""),
    ),
    "unknown name, one at a time": (
        ONE.replace("branch.size", "branch.sise"),
        snapshot("""\
error: space.yaml:7:3: unknown name 'branch.sise'
  fix: did you mean branch.size?
"""),
    ),
    "one at a time and an axis": (
        f"{ONE}axes: {{branch.size: [1]}}\n",
        snapshot("""\
error: space.yaml:7:3: 'branch.size' is both an axis and in one_at_a_time
  fix: remove one of the two
"""),
    ),
    "a value twice, one at a time": (
        ONE.replace("[1, 3]", "[1, 3, 1]"),
        snapshot("""\
error: space.yaml:7:23: branch.size: 1 is given twice
  fix: remove one
"""),
    ),
    "a baseline that the config refuses": (
        ONE.replace("size: 2", "size: 20"),
        snapshot("""\
error: space.yaml:4:44: branch.size: expected less than or equal to 10, got 20
  fix: branch.size: how much, 1 in preset small
"""),
    ),
    "baseline of what does not vary": (
        f"{SPACE}baseline: {{trunk.steps: 5}}\n",
        snapshot("""\
error: space.yaml:9:12: baseline: 'trunk.steps' does not vary between rows
  fix: known: branch.kind, branch.size
"""),
    ),
    "misspelled baseline": (
        BASELINE.replace("{branch.kind", "{branch.kin"),
        snapshot("""\
error: space.yaml:9:12: baseline: 'branch.kin' does not vary between rows
  fix: did you mean branch.kind?
"""),
    ),
    "baseline of a single row": (
        f"{HEAD}baseline: {{branch.kind: plus}}\n",
        snapshot("""\
error: space.yaml:4:12: baseline: 'branch.kind' does not vary between rows
  fix: remove it: the space has only one row
"""),
    ),
    "baseline that no trial has": (
        BASELINE.replace("{branch.kind: minus", "{branch.kind: minus, branch.size: 4"),
        snapshot("""\
error: space.yaml:9:45: baseline: no trial has branch.size 4
  fix: use one of 1, 2, 3
"""),
    ),
    "baseline whose combination is dropped": (
        f"{SPACE}where: branch.kind == 'plus' or branch.size == 1\nbaseline: {{branch.kind: minus, branch.size: 2}}\n",
        snapshot("""\
error: space.yaml:10:11: baseline: no trial has minus · 2
  fix: use one of plus · 1, plus · 2, plus · 3, minus · 1
"""),
    ),
    "baseline of an unknown case": (
        f"{CASES}baseline: {{case: dwon}}\n",
        snapshot("""\
error: space.yaml:13:18: baseline: no trial has case dwon
  fix: use one of up, down, again
"""),
    ),
    "empty baseline": (
        f"{SPACE}baseline: {{}}\n",
        snapshot("""\
error: space.yaml:9:11: baseline is empty
  fix: give it at least one value, or remove it
"""),
    ),
    "unknown name in the condition": (
        f"{SPACE}where: branch.sizes == 1\n",
        snapshot("""\
error: space.yaml:9:8: where: unknown name 'branch.sizes'
  fix: did you mean branch.size?
"""),
    ),
    "case in the condition of a space without cases": (
        f"{SPACE}where: case == 'up'\n",
        snapshot("""\
error: space.yaml:9:8: where: unknown name 'case'
  fix: add cases to the space, or use another name
"""),
    ),
    "a call in the condition": (
        f"{SPACE}where: branch.size == 1 or exit()\n",
        snapshot("""\
error: space.yaml:9:8: where: 'exit()' at character 21 is not allowed
  fix: compare names and values, such as adapter.ratio == 1 or adapter.layers in ['0-64', '40-54']
"""),
    ),
    "condition that compares a name with a number": (
        f"{SPACE}where: branch.kind < 3\n",
        snapshot("""\
error: space.yaml:9:8: where: '<' not supported between instances of 'str' and 'int'
  fix: compare values of the same type; here branch.kind is 'plus'
"""),
    ),
    "condition that drops all": (
        f"{SPACE}where: branch.size > 3\n",
        snapshot("""\
error: space.yaml:9:8: where excludes every trial
  fix: relax the condition: it is false for all 12 trials
"""),
    ),
    "condition that is no text": (
        f"{SPACE}where: true\n",
        snapshot("""\
error: space.yaml:9:8: where: expected a valid string, got True
  fix: where: the condition for a trial, such as "lr < 0.1 or case == 'big'"
"""),
    ),
    "repeated name that is unknown": (
        f"{SPACE}repeat: {{trunk.step: 0-4}}\n",
        snapshot("""\
error: space.yaml:9:10: repeat: unknown name 'trunk.step'
  fix: did you mean trunk.steps?
"""),
    ),
    "repeated name that varies": (
        f"{SPACE}repeat: {{branch.size: 0-4}}\n",
        snapshot("""\
error: space.yaml:7:17: 'branch.size' is already set by repeat
  fix: remove one of the two
"""),
    ),
    "repeated name that is fixed": (
        f"{REPEAT}fixed: {{trunk.steps: 3}}\n",
        snapshot("""\
error: space.yaml:7:22: 'trunk.steps' is already set by repeat
  fix: remove one of the two
"""),
    ),
    "repeated name in a case": (
        f"{REPEAT}cases: {{a: {{trunk.steps: 3}}}}\n",
        snapshot("""\
error: space.yaml:7:26: 'trunk.steps' is already set by repeat
  fix: remove one of the two
"""),
    ),
    "repeated name in the baseline": (
        f"{REPEAT}baseline: {{trunk.steps: 1}}\n",
        snapshot("""\
error: space.yaml:7:12: baseline: 'trunk.steps' does not vary between rows
  fix: known: branch.kind
"""),
    ),
    "seeds given twice": (
        f"{SPACE}repeat: {{seed: 0-4}}\n",
        snapshot("""\
error: space.yaml:9:10: 'seed' is both in seeds and in repeat
  fix: remove one of the two
"""),
    ),
    "a fixed seed beside repeated ones": (
        f"{HEAD}repeat: {{seed: 0-4}}\nfixed: {{seed: 0}}\n",
        snapshot("""\
error: space.yaml:5:15: 'seed' is already set by repeat
  fix: remove one of the two
"""),
    ),
    "bad repeats": (
        REPEAT.replace("1-2", "2-1"),
        snapshot("""\
error: space.yaml:5:23: repeat.trunk.steps: expected distinct whole numbers from 0, such as [0, 1, 2] or 0-4, got '2-1'
  fix: repeat: other fields that every row is repeated over and averaged, by name, such as {fold: 0-4}
"""),
    ),
    "a repeated value that the config refuses": (
        REPEAT.replace("1-2", "[2, 0]"),
        snapshot("""\
error: space.yaml:5:23: trunk.steps: expected greater than or equal to 1, got 0
  fix: trunk.steps: links of the chain, 5 in preset small
"""),
    ),
    "seeds of something else": (
        f"{SPACE}shuffle_seeds: 0-2\n",
        snapshot("""\
error: space.yaml:9:1: unknown key 'shuffle_seeds'
  fix: repeat a config field with repeat: {shuffle_seed: [0, 1, 2]}
"""),
    ),
    "too many seeds": (
        SPACE.replace("[0, 1]", "0-99999999"),
        snapshot("""\
error: space.yaml:4:8: seeds: expected at most 10000 values, got '0-99999999'
  fix: seeds: the seeds that every row is repeated over, such as [0, 1, 2] or 0-4
"""),
    ),
    "too large a grid": (
        SPACE.replace("[0, 1]", "0-9999").replace("[1, 2, 3]", str(list(range(10)))),
        snapshot("""\
error: space.yaml:1:1: the grid has 200,000 trials, the limit is 100,000
  fix: shorten its lists, or search instead
"""),
    ),
    "a number that is none": (
        f"{SPACE}fixed: {{trunk.pause: .inf}}\n",
        snapshot("error: space.yaml:9:22: trunk.pause: expected a finite number, got inf\n"),
    ),
    "a number that no result holds": (
        f"{SPACE}fixed: {{trunk.steps: 9223372036854775808}}\n",
        snapshot(
            "error: space.yaml:9:22: trunk.steps: expected a whole number of at most 63 bits, got one of 64 bits\n"
        ),
    ),
    "unknown key of a stage's request": (
        f"{SPACE}resources: {{grow: {{cpu: 2}}}}\n",
        snapshot("""\
error: space.yaml:9:20: unknown key 'cpu'
  fix: did you mean cpus?
"""),
    ),
    "a stage's request that is none": (
        f"{SPACE}resources: {{grow: {{cpus: 0}}}}\n",
        snapshot("""\
error: space.yaml:9:26: resources.grow.cpus: expected greater than or equal to 1, got 0
  fix: cpus: CPU threads, at least 1
"""),
    ),
    "a stage's request that is a number": (
        f"{SPACE}resources: {{grow: 2}}\n",
        snapshot("""\
error: space.yaml:9:19: resources.grow: expected a mapping of names to values, got 2
  fix: resources: resource requests by stage, such as {train_flow: {cpus: 2, memory: 4GiB}}
"""),
    ),
    "request of an unknown stage": (
        f"{SPACE}resources: {{grw: {{cpus: 2}}}}\n",
        snapshot("""\
error: space.yaml:9:13: resources: unknown stage 'grw'
  fix: did you mean grow?
"""),
    ),
    "a row of the table twice": (
        SPACE.replace("[branch.kind, branch.size]", "[branch.kind, branch.kind]"),
        snapshot("""\
error: space.yaml:8:29: table: 'branch.kind' is given twice
  fix: remove one
"""),
    ),
    "too long a name": (
        SPACE.replace("tiny\n", "t" * 101 + "\n", 1),
        snapshot("""\
error: space.yaml:1:7: name: string should have at most 100 characters, got 'ttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt'
  fix: name: the name of the sweep and its results
"""),
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_what_varies(project: Project, mistake: str) -> None:
    text, expected = MISTAKES[mistake]
    project.write(text)
    done = project.sweeper("plan", "space.yaml")
    assert done.stderr == expected
    assert done.returncode == 2
    assert done.stdout == ""
