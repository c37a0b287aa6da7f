"""What a user sees who made a mistake: exact text, exit code 2, nothing started, nothing written."""

from pathlib import Path

import pytest

from sweeper.trainable import dotted_fields
from tests.conftest import CASES, SPACE, Project
from trainables.funlora.config import Config

NAMES = "trunk.steps, trunk.pause, branch.kind, branch.size, remark"
MISTAKES = {
    "unknown key": (
        SPACE.replace("axes:", "axis:"),
        "space.yaml:5:1: unknown key 'axis'\n  fix: did you mean axes?",
    ),
    "unknown name": (
        SPACE.replace("branch.size: [1", "branch.sise: [1"),
        "space.yaml:7:3: unknown name 'branch.sise'\n  fix: did you mean branch.size?",
    ),
    "wrong type": (
        SPACE.replace("[1, 2, 3]", "[1, big, 3]"),
        "space.yaml:7:20: branch.size: expected a valid integer, unable to parse string as an integer, got 'big'\n"
        "  fix: branch.size is how much, in preset small 1",
    ),
    "value out of range": (
        SPACE.replace("[1, 2, 3]", "[1, 2, 30]"),
        "space.yaml:7:23: branch.size: expected less than or equal to 10, got 30\n"
        "  fix: branch.size is how much, in preset small 1",
    ),
    "value not among the allowed": (
        SPACE.replace("[plus, minus]", "[plus, times]"),
        "space.yaml:6:23: branch.kind: expected 'plus', 'minus', 'bad' or 'nan', got 'times'\n"
        "  fix: branch.kind is what the branch does, in preset small plus",
    ),
    "value that the experiment refuses": (
        SPACE.replace("[1, 2, 3]", "[1, 9]"),
        "space.yaml:7:20: branch.size: 9 is one too many\n  fix: take 8",
    ),
    "empty axis": (
        SPACE.replace("[1, 2, 3]", "[]"),
        "space.yaml:7:16: axes.branch.size is empty\n  fix: give it at least one value, or remove it",
    ),
    "axis that is no list": (
        SPACE.replace("[1, 2, 3]", "3"),
        "space.yaml:7:16: axes.branch.size: expected a valid list, got 3\n  fix: axes is lists of values by name",
    ),
    "duplicate axis value": (
        SPACE.replace("[1, 2, 3]", "[1, 2, 1]"),
        "space.yaml:7:23: branch.size: 1 is given twice\n  fix: remove one",
    ),
    "unknown trainable": (
        SPACE.replace("tests.tiny", "funlor"),
        "space.yaml:2:12: unknown trainable 'funlor': not installed (funlora), and no module in the working directory\n"
        "  fix: did you mean funlora?",
    ),
    "unknown preset": (
        SPACE.replace("preset: small", "preset: smal"),
        "space.yaml:3:9: unknown preset 'smal'\n  fix: did you mean small?",
    ),
    "bad seeds": (
        SPACE.replace("[0, 1]", "[0, -1]"),
        "space.yaml:4:8: seeds: expected distinct whole numbers from 0, such as [0, 1, 2] or 0-4, got [0, -1]\n"
        "  fix: seeds is [0, 1, 2] or 0-4",
    ),
    "equal seeds": (
        SPACE.replace("[0, 1]", "[1, 1]"),
        "space.yaml:4:8: seeds: expected distinct whole numbers from 0, such as [0, 1, 2] or 0-4, got [1, 1]\n"
        "  fix: seeds is [0, 1, 2] or 0-4",
    ),
    "seed as an axis": (
        SPACE.replace("branch.size: [1", "seed: [1"),
        "space.yaml:7:10: 'seed' is set by seeds\n  fix: list the seeds: seeds: [0, 1, 2]",
    ),
    "missing key": (
        SPACE.replace("preset: small\n", ""),
        "space.yaml:1:1: 'preset' is missing\n  fix: add it: the complete config that overrides start from",
    ),
    "key given twice": (
        SPACE + "name: again\n",
        "space.yaml:9:1: 'name' is given twice\n  fix: remove one of the two",
    ),
    "not YAML": (
        "name: [tiny\ntrainable: x\n",
        "space.yaml:2:10: not valid YAML: expected ',' or ']', but got ':'\n  fix: mend the syntax here",
    ),
    "a key that is a number": (
        SPACE.replace("axes:", "cases: {1: {}}\naxes:"),
        "space.yaml:5:9: a key must be a plain name\n  fix: quote it, or remove the brackets",
    ),
    "an alias of itself": (
        "name: &loop [*loop]\n",
        "space.yaml: an alias stands within its own anchor\n  fix: write the values out",
    ),
    "a list": (
        "- name\n- tiny\n",
        "space.yaml:1:1: expected names and values, such as name: layers",
    ),
    "an empty file": (
        "",
        "space.yaml: the file is empty\n  fix: a search space has at least a name and a trainable",
    ),
    "unknown name in the table": (
        SPACE.replace("rows: [branch.kind", "rows: [branch.king"),
        "space.yaml:8:16: table: unknown name 'branch.king'\n  fix: did you mean branch.kind?",
    ),
    "unknown column in the table": (
        SPACE.replace("columns: [cost, score]", "columns: [cost, scores]"),
        "space.yaml:8:59: table: unknown column 'scores'\n  fix: did you mean score?",
    ),
    "unknown part of the cost in the table": (
        SPACE.replace("columns: [cost", "columns: [seconds.branch"),
        "space.yaml:8:53: table: unknown column 'seconds.branch'\n  fix: did you mean seconds.branches?",
    ),
    "column that is no number": (
        SPACE.replace("[cost, score]", "[cost, branch.kind]"),
        "space.yaml:8:59: table: column 'branch.kind' is no number\n  fix: name it in the table's rows",
    ),
    "misspelled seconds in the table": (
        SPACE.replace("columns: [cost", "columns: [second_saved"),
        "space.yaml:8:53: table: unknown column 'second_saved'\n  fix: did you mean seconds_saved?",
    ),
    "published values that there are not": (
        SPACE.replace("columns: [cost, score]", "columns: [cost], published: funlora/layer_selections"),
        "space.yaml:8:71: no published values called 'funlora/layer_selections'\n"
        "  fix: did you mean funlora/layer_selection?",
    ),
    "unknown key in the table": (
        SPACE.replace("columns:", "colums:"),
        "space.yaml:8:43: unknown key 'colums'\n  fix: did you mean columns?",
    ),
    "unknown name in a case": (
        CASES.replace("down: {branch.kind", "down: {branch.king"),
        "space.yaml:8:10: unknown name 'branch.king'\n  fix: did you mean branch.kind?",
    ),
    "value of a case that the config refuses": (
        CASES.replace("down: {branch.kind: minus", "down: {branch.kind: times"),
        "space.yaml:8:23: branch.kind: expected 'plus', 'minus', 'bad' or 'nan', got 'times'\n"
        "  fix: branch.kind is what the branch does, in preset small plus",
    ),
    "value of a case that the experiment refuses": (
        CASES.replace("  branch.size: [1, 2]", "  trunk.pause: [0]").replace("kind: plus", "size: 9"),
        "space.yaml:7:21: branch.size: 9 is one too many\n  fix: take 8",
    ),
    "name in a case and an axis": (
        CASES.replace("again: {branch.kind: minus", "again: {branch.size: 3"),
        "space.yaml:9:11: 'branch.size' is both in case again and an axis\n  fix: remove one of the two",
    ),
    "seed in a case": (
        CASES.replace("again: {branch.kind: minus", "again: {seed: 3"),
        "space.yaml:9:17: 'seed' is set by seeds\n  fix: list the seeds: seeds: [0, 1, 2]",
    ),
    "case that is no mapping": (
        CASES.replace("{branch.kind: minus}", "minus"),
        "space.yaml:8:9: cases.down: expected names and values, got 'minus'\n"
        "  fix: cases is overrides by the name of a row, such as {big: {lr: 0.1}}; they win over fixed",
    ),
    "case without a value": (
        CASES.replace(" {branch.kind: minus}", ""),
        "space.yaml:8:8: cases.down: expected names and values, got None\n"
        "  fix: cases is overrides by the name of a row, such as {big: {lr: 0.1}}; they win over fixed",
    ),
    "case given twice": (
        CASES.replace("again:", "up:"),
        "space.yaml:9:3: 'up' is given twice\n  fix: remove one of the two",
    ),
    "cases without any": (
        SPACE.replace("axes:", "cases: {}\naxes:"),
        "space.yaml:5:8: cases is empty\n  fix: give it at least one value, or remove it",
    ),
    "what stands side by side is no row of the table": (
        SPACE.replace("columns:", "across: trunk.steps, columns:"),
        "space.yaml:8:51: table: across is no row of it: 'trunk.steps'\n  fix: name one of several rows",
    ),
    "the only row of a table side by side": (
        SPACE.replace("[branch.kind, branch.size],", "branch.size, across: branch.size,"),
        "space.yaml:8:36: table: across is no row of it: 'branch.size'\n  fix: name one of several rows",
    ),
    "bounds without cases": (
        SPACE.replace("columns:", "bounds: [top], columns:"),
        "space.yaml:8:52: table: no case 'top'\n  fix: give the space cases",
    ),
    "misspelled bound": (
        CASES.replace("columns:", "bounds: [ups], columns:"),
        "space.yaml:12:45: table: no case 'ups'\n  fix: did you mean up?",
    ),
    "case in the table of a space without cases": (
        SPACE.replace("rows: [branch.kind", "rows: [case"),
        "space.yaml:8:16: table: unknown name 'case'\n  fix: give the space cases, or name an axis",
    ),
    "misspelled case in the table": (
        CASES.replace("case]", "cases]"),
        "space.yaml:12:29: table: unknown name 'cases'\n  fix: did you mean case?",
    ),
    "case as a column of the table": (
        CASES.replace("columns: [cost", "columns: [case"),
        "space.yaml:12:46: table: unknown column 'case'\n  fix: did you mean seed or cost?",
    ),
    "unknown name of a user's own": (
        SPACE.replace("branch.size: [1", "qqq: [1"),
        f"space.yaml:7:3: unknown name 'qqq'\n  fix: known: {NAMES}",
    ),
}


def check(project: Project, expected: str, *arguments: str) -> None:
    before = sorted(project.path.rglob("*"))
    for command in ("run", "plan"):
        done = project.sweeper(command, *arguments)
        assert done.stderr == f"error: {expected}\n"
        assert done.returncode == 2
        assert done.stdout == ""
    assert sorted(project.path.rglob("*")) == before


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_file(project: Project, mistake: str) -> None:
    text, expected = MISTAKES[mistake]
    project.write(text)
    check(project, expected, "space.yaml")


FUNLORA = "name: x\ntrainable: funlora\npreset: digits\naxes:\n  adapter.layers: [{}]\n"

MEANING = dict(dotted_fields(Config))["adapter.layers"].description


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ("0-65", "adapter.layers: 0-65 is out of bounds\n  fix: this backbone's Conv2d layers are 0-64"),
        (
            "54-40",
            "adapter.layers: the range is reversed: write 40-54, got '54-40'\n"
            f"  fix: adapter.layers is {MEANING}, in preset digits 40-54",
        ),
    ],
)
def test_a_layer_range_that_the_network_does_not_have(project: Project, layers: str, expected: str) -> None:
    project.write(FUNLORA.format(layers))
    check(project, f"space.yaml:5:20: {expected}", "space.yaml")


def test_tasks_that_do_not_cover_the_classes(project: Project) -> None:
    project.write(FUNLORA.format("40-54") + "fixed: {tasks.first: 3}\n")
    expected = (
        "space.yaml:6:22: tasks: 3 classes and then 2 at a time do not add up to the data set's 10\n"
        "  fix: change tasks.first or tasks.later"
    )
    check(project, expected, "space.yaml")


def test_a_missing_file_names_the_ones_there_are(project: Project) -> None:
    check(project, "spaec.yaml: no such file\n  fix: did you mean space.yaml?", "spaec.yaml")


def test_a_directory(project: Project) -> None:
    check(project, ".: cannot be read: Is a directory\n  fix: name a YAML file", ".")


def test_a_binary_file(project: Project) -> None:
    (project.path / "space.yaml").write_bytes(b"\x00\x01\xff\xfe" * 100)
    check(project, "space.yaml: not a text file\n  fix: a search space is a YAML file in UTF-8", "space.yaml")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ("--seeds", "4-x"),
            "space.yaml with --seeds 4-x: seeds: expected distinct whole numbers from 0, such as [0, 1, 2] or 0-4, got "
            "'4-x'",
        ),
        (("--preset", "big"), "space.yaml with --preset big: unknown preset 'big'\n  fix: known: small, slow"),
        (
            ("--set", "branch.size"),
            "space.yaml with --set branch.size: expected NAME=VALUE\n  fix: such as --set adapter.lr=1e-3",
        ),
        (
            ("--set", "branch.sice=1"),
            "space.yaml with --set branch.sice=1: unknown name 'branch.sice'\n  fix: did you mean branch.size?",
        ),
        (
            ("--set", "branch.size=many"),
            "space.yaml with --set branch.size=many: branch.size: expected a valid integer, unable to parse string as "
            "an integer, got 'many'\n  fix: branch.size is how much, in preset small 1",
        ),
    ],
)
def test_a_mistake_on_the_command_line(project: Project, arguments: tuple[str, ...], expected: str) -> None:
    check(project, expected, "space.yaml", *arguments)


def test_what_cannot_run_here_can_be_planned(project: Project) -> None:
    project.write(SPACE.replace("[1, 2, 3]", "[1, 8]"))
    planned, refused = project.sweeper("plan", "space.yaml"), project.sweeper("run", "space.yaml")
    assert planned.returncode == 0
    assert refused.returncode == 2
    assert refused.stderr == "error: space.yaml:7:20: branch.size: 8 is not to be had here\n  fix: take 7\n"
    assert not (Path(project.path) / "runs").exists()
