"""What a user sees who made a mistake: exact text, exit code 2, nothing started, nothing written."""

from pathlib import Path

import pytest
from inline_snapshot import Snapshot, snapshot

from tests.project import CASES, SPACE, Project

MISTAKES = {
    "unknown key": (
        SPACE.replace("axes:", "axis:"),
        snapshot("""\
error: space.yaml:5:1: unknown key 'axis'
  fix: did you mean axes?
"""),
    ),
    "unknown name": (
        SPACE.replace("branch.size: [1", "branch.sise: [1"),
        snapshot("""\
error: space.yaml:7:3: unknown name 'branch.sise'
  fix: did you mean branch.size?
"""),
    ),
    "wrong type": (
        SPACE.replace("[1, 2, 3]", "[1, big, 3]"),
        snapshot("""\
error: space.yaml:7:20: branch.size: expected a valid integer, unable to parse string as an integer, got 'big'
  fix: branch.size: how much, 1 in preset small
"""),
    ),
    "value out of range": (
        SPACE.replace("[1, 2, 3]", "[1, 2, 30]"),
        snapshot("""\
error: space.yaml:7:23: branch.size: expected less than or equal to 10, got 30
  fix: branch.size: how much, 1 in preset small
"""),
    ),
    "value not among the allowed": (
        SPACE.replace("[plus, minus]", "[plus, times]"),
        snapshot("""\
error: space.yaml:6:23: branch.kind: expected 'plus', 'minus', 'bad' or 'nan', got 'times'
  fix: branch.kind: what the branch does, plus in preset small
"""),
    ),
    "value that the experiment refuses": (
        SPACE.replace("[1, 2, 3]", "[1, 9]"),
        snapshot("""\
error: space.yaml:7:20: branch.size: 9 is one too many
  fix: take 8
"""),
    ),
    "empty axis": (
        SPACE.replace("[1, 2, 3]", "[]"),
        snapshot("""\
error: space.yaml:7:16: axes.branch.size is empty
  fix: give it at least one value, or remove it
"""),
    ),
    "axis that is no list": (
        SPACE.replace("[1, 2, 3]", "3"),
        snapshot("""\
error: space.yaml:7:16: axes.branch.size: expected a valid list, got 3
  fix: axes: lists of values by name
"""),
    ),
    "duplicate axis value": (
        SPACE.replace("[1, 2, 3]", "[1, 2, 1]"),
        snapshot("""\
error: space.yaml:7:23: branch.size: 1 is given twice
  fix: remove one
"""),
    ),
    "unknown trainable": (
        SPACE.replace("tests.tiny", "funlor"),
        snapshot("""\
error: space.yaml:2:12: unknown trainable 'funlor': not among the installed ones (funlora), and no module in the working directory
  fix: did you mean funlora?
"""),
    ),
    "unknown preset": (
        SPACE.replace("preset: small", "preset: smal"),
        snapshot("""\
error: space.yaml:3:9: unknown preset 'smal'
  fix: did you mean small?
"""),
    ),
    "bad seeds": (
        SPACE.replace("[0, 1]", "[0, -1]"),
        snapshot("""\
error: space.yaml:4:8: seeds: expected distinct whole numbers from 0, such as [0, 1, 2] or 0-4, got [0, -1]
  fix: seeds: the seeds that every row is repeated over, such as [0, 1, 2] or 0-4
"""),
    ),
    "equal seeds": (
        SPACE.replace("[0, 1]", "[1, 1]"),
        snapshot("""\
error: space.yaml:4:8: seeds: expected distinct whole numbers from 0, such as [0, 1, 2] or 0-4, got [1, 1]
  fix: seeds: the seeds that every row is repeated over, such as [0, 1, 2] or 0-4
"""),
    ),
    "seed as an axis": (
        SPACE.replace("branch.size: [1", "seed: [1"),
        snapshot("""\
error: space.yaml:7:10: 'seed' is already set by seeds
  fix: list the seeds: seeds: [0, 1, 2]
"""),
    ),
    "missing key": (
        SPACE.replace("preset: small\n", ""),
        snapshot("""\
error: space.yaml:1:1: 'preset' is missing
  fix: name one of small, slow, such as preset: small
"""),
    ),
    "key given twice": (
        SPACE + "name: again\n",
        snapshot("""\
error: space.yaml:9:1: 'name' is given twice
  fix: remove one of the two
"""),
    ),
    "not YAML": (
        "name: [tiny\ntrainable: x\n",
        snapshot("""\
error: space.yaml:2:10: not valid YAML: expected ',' or ']', but got ':'
  fix: fix the YAML syntax here
"""),
    ),
    "a key that is a number": (
        SPACE.replace("axes:", "cases: {1: {}}\naxes:"),
        snapshot("""\
error: space.yaml:5:9: a key must be a plain name
  fix: quote it, or remove the brackets
"""),
    ),
    "an alias of itself": (
        "name: &loop [*loop]\n",
        snapshot("""\
error: space.yaml: an alias refers to an anchor that contains it
  fix: write the values out
"""),
    ),
    "a list": (
        "- name\n- tiny\n",
        snapshot("error: space.yaml:1:1: expected a mapping, such as name: layers\n"),
    ),
    "an empty file": (
        "",
        snapshot("""\
error: space.yaml: the file is empty
  fix: a search space has at least a name and a trainable
"""),
    ),
    "unknown name in the table": (
        SPACE.replace("rows: [branch.kind", "rows: [branch.king"),
        snapshot("""\
error: space.yaml:8:16: table: unknown name 'branch.king'
  fix: did you mean branch.kind?
"""),
    ),
    "unknown column in the table": (
        SPACE.replace("columns: [cost, score]", "columns: [cost, scores]"),
        snapshot("""\
error: space.yaml:8:59: table: unknown column 'scores'
  fix: did you mean score?
"""),
    ),
    "unknown part of the cost in the table": (
        SPACE.replace("columns: [cost", "columns: [seconds.branch"),
        snapshot("""\
error: space.yaml:8:53: table: unknown column 'seconds.branch'
  fix: did you mean seconds.branches?
"""),
    ),
    "column that is no number": (
        SPACE.replace("[cost, score]", "[cost, branch.kind]"),
        snapshot("""\
error: space.yaml:8:59: table: column 'branch.kind' is not a number
  fix: list it in the table's rows instead
"""),
    ),
    "misspelled seconds in the table": (
        SPACE.replace("columns: [cost", "columns: [second_saved"),
        snapshot("""\
error: space.yaml:8:53: table: unknown column 'second_saved'
  fix: did you mean seconds_saved?
"""),
    ),
    "published values that there are not": (
        SPACE.replace("columns: [cost, score]", "columns: [cost], published: funlora/layer_selections"),
        snapshot("""\
error: space.yaml:8:71: table: unknown published values 'funlora/layer_selections'
  fix: did you mean funlora/layer_selection?
"""),
    ),
    "unknown key in the table": (
        SPACE.replace("columns:", "colums:"),
        snapshot("""\
error: space.yaml:8:43: unknown key 'colums'
  fix: did you mean columns?
"""),
    ),
    "unknown name in a case": (
        CASES.replace("down: {branch.kind", "down: {branch.king"),
        snapshot("""\
error: space.yaml:8:10: unknown name 'branch.king'
  fix: did you mean branch.kind?
"""),
    ),
    "value of a case that the config refuses": (
        CASES.replace("down: {branch.kind: minus", "down: {branch.kind: times"),
        snapshot("""\
error: space.yaml:8:23: branch.kind: expected 'plus', 'minus', 'bad' or 'nan', got 'times'
  fix: branch.kind: what the branch does, plus in preset small
"""),
    ),
    "value of a case that the experiment refuses": (
        CASES.replace("  branch.size: [1, 2]", "  trunk.pause: [0]").replace("kind: plus", "size: 9"),
        snapshot("""\
error: space.yaml:7:21: branch.size: 9 is one too many
  fix: take 8
"""),
    ),
    "name in a case and an axis": (
        CASES.replace("again: {branch.kind: minus", "again: {branch.size: 3"),
        snapshot("""\
error: space.yaml:9:11: 'branch.size' is both in case again and an axis
  fix: remove one of the two
"""),
    ),
    "seed in a case": (
        CASES.replace("again: {branch.kind: minus", "again: {seed: 3"),
        snapshot("""\
error: space.yaml:9:17: 'seed' is already set by seeds
  fix: list the seeds: seeds: [0, 1, 2]
"""),
    ),
    "case that is no mapping": (
        CASES.replace("{branch.kind: minus}", "minus"),
        snapshot("""\
error: space.yaml:8:9: cases.down: expected a mapping of names to values, got 'minus'
  fix: cases: sets of overrides by name, each a row, such as {big: {lr: 0.1}}; they win over fixed
"""),
    ),
    "case without a value": (
        CASES.replace(" {branch.kind: minus}", ""),
        snapshot("""\
error: space.yaml:8:8: cases.down: expected a mapping of names to values, got None
  fix: cases: sets of overrides by name, each a row, such as {big: {lr: 0.1}}; they win over fixed
"""),
    ),
    "case given twice": (
        CASES.replace("again:", "up:"),
        snapshot("""\
error: space.yaml:9:3: 'up' is given twice
  fix: remove one of the two
"""),
    ),
    "cases without any": (
        SPACE.replace("axes:", "cases: {}\naxes:"),
        snapshot("""\
error: space.yaml:5:8: cases is empty
  fix: give it at least one value, or remove it
"""),
    ),
    "what stands side by side is no row of the table": (
        SPACE.replace("columns:", "across: trunk.steps, columns:"),
        snapshot("""\
error: space.yaml:8:51: table: across 'trunk.steps' is not one of several rows
  fix: list at least two rows, and set across to one of them
"""),
    ),
    "the only row of a table side by side": (
        SPACE.replace("[branch.kind, branch.size],", "branch.size, across: branch.size,"),
        snapshot("""\
error: space.yaml:8:36: table: across 'branch.size' is not one of several rows
  fix: list at least two rows, and set across to one of them
"""),
    ),
    "bounds without cases": (
        SPACE.replace("columns:", "bounds: [top], columns:"),
        snapshot("""\
error: space.yaml:8:52: table: unknown case 'top'
  fix: add cases to the space
"""),
    ),
    "misspelled bound": (
        CASES.replace("columns:", "bounds: [ups], columns:"),
        snapshot("""\
error: space.yaml:12:45: table: unknown case 'ups'
  fix: did you mean up?
"""),
    ),
    "case in the table of a space without cases": (
        SPACE.replace("rows: [branch.kind", "rows: [case"),
        snapshot("""\
error: space.yaml:8:16: table: unknown name 'case'
  fix: add cases to the space, or name an axis
"""),
    ),
    "misspelled case in the table": (
        CASES.replace("case]", "cases]"),
        snapshot("""\
error: space.yaml:12:29: table: unknown name 'cases'
  fix: did you mean case?
"""),
    ),
    "case as a column of the table": (
        CASES.replace("columns: [cost", "columns: [case"),
        snapshot("""\
error: space.yaml:12:46: table: unknown column 'case'
  fix: did you mean seed or cost?
"""),
    ),
    "unknown name of a user's own": (
        SPACE.replace("branch.size: [1", "qqq: [1"),
        snapshot("""\
error: space.yaml:7:3: unknown name 'qqq'
  fix: known: trunk.steps, trunk.pause, branch.kind, branch.size, remark
"""),
    ),
}


def check(project: Project, expected: Snapshot[str], *arguments: str) -> None:
    before = sorted(project.path.rglob("*"))
    for command in ("run", "plan"):
        done = project.sweeper(command, *arguments)
        assert done.stderr == expected
        assert done.returncode == 2
        assert done.stdout == ""
    assert sorted(project.path.rglob("*")) == before


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_file(project: Project, mistake: str) -> None:
    text, expected = MISTAKES[mistake]
    project.write(text)
    check(project, expected, "space.yaml")


FUNLORA = "name: x\ntrainable: funlora\npreset: digits\naxes:\n  adapter.layers: [{}]\n"


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        (
            "0-65",
            snapshot("""\
error: space.yaml:5:20: adapter.layers: 0-65 is out of bounds
  fix: this backbone's Conv2d layers are 0-64
"""),
        ),
        (
            "54-40",
            snapshot("""\
error: space.yaml:5:20: adapter.layers: the range is reversed: write 40-54, got '54-40'
  fix: adapter.layers: adapted layers: Conv2d by index in registration order (40-54, or 0-4,40-54), by block (output_blocks.5-8), attention for the projections of all attention blocks, or none, 40-54 in preset digits
"""),
        ),
    ],
)
def test_a_layer_range_that_the_network_does_not_have(project: Project, layers: str, expected: Snapshot[str]) -> None:
    project.write(FUNLORA.format(layers))
    check(project, expected, "space.yaml")


def test_tasks_that_do_not_cover_the_classes(project: Project) -> None:
    project.write(FUNLORA.format("40-54") + "fixed: {tasks.first: 3}\n")
    check(
        project,
        snapshot("""\
error: space.yaml:6:22: tasks: 3 classes and then 2 at a time do not add up to the data set's 10
  fix: change tasks.first or tasks.later
"""),
        "space.yaml",
    )


def test_a_missing_file_names_the_ones_there_are(project: Project) -> None:
    check(
        project,
        snapshot("""\
error: spaec.yaml: no such file
  fix: did you mean space.yaml?
"""),
        "spaec.yaml",
    )


def test_a_directory(project: Project) -> None:
    check(
        project,
        snapshot("""\
error: .: cannot be read: Is a directory
  fix: give the path of a YAML file
"""),
        ".",
    )


def test_a_binary_file(project: Project) -> None:
    (project.path / "space.yaml").write_bytes(b"\x00\x01\xff\xfe" * 100)
    check(
        project,
        snapshot("""\
error: space.yaml: not a text file
  fix: a search space is a YAML file in UTF-8
"""),
        "space.yaml",
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ("--seeds", "4-x"),
            snapshot(
                "error: space.yaml with --seeds 4-x: seeds: expected distinct whole numbers from 0, such as [0, 1, 2] or 0-4, got '4-x'\n"
            ),
        ),
        (
            ("--preset", "big"),
            snapshot("""\
error: space.yaml with --preset big: unknown preset 'big'
  fix: known: small, slow
"""),
        ),
        (
            ("--set", "branch.size"),
            snapshot("""\
error: space.yaml with --set branch.size: expected NAME=VALUE
  fix: for example --set adapter.lr=1e-3
"""),
        ),
        (
            ("--set", "branch.sice=1"),
            snapshot("""\
error: space.yaml with --set branch.sice=1: unknown name 'branch.sice'
  fix: did you mean branch.size?
"""),
        ),
        (
            ("--set", "branch.size=many"),
            snapshot("""\
error: space.yaml with --set branch.size=many: branch.size: expected a valid integer, unable to parse string as an integer, got 'many'
  fix: branch.size: how much, 1 in preset small
"""),
        ),
    ],
)
def test_a_mistake_on_the_command_line(project: Project, arguments: tuple[str, ...], expected: Snapshot[str]) -> None:
    check(project, expected, "space.yaml", *arguments)


def test_what_cannot_run_here_can_be_planned(project: Project) -> None:
    project.write(SPACE.replace("[1, 2, 3]", "[1, 8]"))
    planned, refused = project.sweeper("plan", "space.yaml"), project.sweeper("run", "space.yaml")
    assert planned.returncode == 0
    assert refused.returncode == 2
    assert refused.stderr == snapshot("""\
error: space.yaml:7:20: branch.size: 8 is not to be had here
  fix: take 7
""")
    assert not (Path(project.path) / "runs").exists()
