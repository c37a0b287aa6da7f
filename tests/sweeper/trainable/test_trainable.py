"""What the author of a trainable writes, and is told."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweeper.trainable.trainable import find_trainable
from tests.project import ROOT, SPACE, Done, Project

TINY = ROOT / "tests" / "tiny"
LAB = """\
import json

from pydantic import BaseModel

from sweeper import Stage, StageRun, Trainable, stage


class Config(BaseModel, frozen=True):
    seed: int = 0
    lr: float = 0.5


@stage(version=1)
def train(run: StageRun, lr: float, seed: int) -> None:
    (run.output / "metrics.json").write_text(json.dumps({"loss": lr + seed, "other": 1.0}))


def experiment(config: Config) -> Stage:
    return train(config.lr, config.seed)


trainable = Trainable(config=Config, experiment=experiment)
"""
LAB_SPACE = """\
name: lab
trainable: lab
seeds: [0, 1]
axes: {lr: [0.25, 0.75]}
table: {rows: lr, columns: [loss, seconds]}
"""


@pytest.fixture
def lab(project: Project) -> Path:
    """A trainable in one module of the user's own directory."""
    project.write(LAB_SPACE)
    return project.write(LAB, "lab.py")


@pytest.fixture
def mine(project: Project) -> Path:
    """A trainable in a package of the user's own directory."""
    package = project.path / "mine"
    package.mkdir()
    for path in TINY.glob("*.py"):
        (package / path.name).write_text(path.read_text().replace("tests.tiny", "mine"))
    project.write(SPACE.replace("tests.tiny", "mine"))
    return package


@pytest.fixture(autouse=True)
def _imported_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test has modules of its own by the same names."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    for name in [each for each in sys.modules if each.partition(".")[0] in ("lab", "mine")]:
        del sys.modules[name]


def plan(project: Project) -> Done:
    return project.sweeper("plan", "space.yaml")


def refusal(project: Project) -> str:
    done = plan(project)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    return done.stderr


def test_a_config_and_a_function_are_a_trainable(project: Project, lab: Path) -> None:
    done = project.sweeper("run", "space.yaml", "--executor", "inline", "--no-tracking")
    assert done.returncode == 0, done.stderr
    rows = project.csv("lab").splitlines()
    assert rows[0].startswith("lr,loss,")
    assert [row.split(",")[:2] for row in rows[1:]] == [["0.25", "0.75"], ["0.75", "1.25"]]


def test_what_a_trainable_does_not_give_has_a_default(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(lab.parent)
    found = find_trainable("lab")
    config = found.presets["default"]
    assert (found.name, found.module, list(found.presets)) == ("lab", "lab", ["default"])
    assert (found.metrics, found.known, found.parts, found.facts_of(config)) == ({}, {}, {}, {})
    assert found.steps_of(config) == [found.run(config)]
    found.check_config(config)


def test_a_name_that_is_no_number_of_an_undeclared_metric_is_refused(project: Project, lab: Path) -> None:
    project.write(LAB_SPACE.replace("[loss, seconds]", "[loss, lr.x]"))
    assert "table: unknown column 'lr.x'" in refusal(project)


def test_an_unknown_name_says_where_it_was_looked_for(project: Project) -> None:
    project.write(LAB_SPACE.replace("trainable: lab", "trainable: laboratory"))
    assert refusal(project) == (
        "error: space.yaml:2:12: unknown trainable 'laboratory': not among the installed ones (funlora), and no module "
        "in the working directory\n"
        "  fix: use an installed one, or write laboratory.py with trainable = Trainable(config=..., experiment=...)\n"
    )


def test_a_module_without_a_trainable_is_told_to_declare_one(project: Project, lab: Path) -> None:
    lab.write_text(LAB.replace("trainable = ", "toy = "))
    assert refusal(project) == (
        f"error: space.yaml:2:12: module lab ({lab}) has no Trainable named 'trainable'\n"
        "  fix: add it: trainable = Trainable(config=..., experiment=...)\n"
    )
    project.write(LAB_SPACE.replace("trainable: lab", "trainable: lab:toy"))
    assert plan(project).returncode == 0


@pytest.mark.parametrize(
    ("old", "new", "line", "cause"),
    [
        ("import json\n", "import jsonn\n", 1, "ModuleNotFoundError: No module named 'jsonn'"),
        ("seed: int = 0", "seed: Int = 0", 9, "NameError: name 'Int' is not defined"),
        ("int = 0", "int = (0", 9, "SyntaxError: '(' was never closed (lab.py, line 9)"),
        ("lr: float = 0.5", "lr: float", 22, "Config cannot be built without arguments: lr"),
        ("seed: int = 0", "sead: int = 0", 22, "Config has no field seed"),
    ],
)
def test_a_module_that_raises_shows_the_cause_and_its_line(
    project: Project, lab: Path, old: str, new: str, line: int, cause: str
) -> None:
    lab.write_text(LAB.replace(old, new))
    assert f"module lab cannot be imported: {lab}:{line}: {cause}\n  fix: " in refusal(project)


def test_a_mistake_in_the_file_imports_no_experiment(project: Project, mine: Path) -> None:
    (mine / "experiment.py").write_text("raise RuntimeError('no GPU driver')\n")
    project.write(SPACE.replace("tests.tiny", "mine").replace("[1, 2, 3]", "[1, big, 3]"))
    assert "expected a valid integer" in refusal(project)
    project.write(SPACE.replace("tests.tiny", "mine"))
    where = f"{mine / 'experiment.py'}:1"
    assert f"module mine.experiment cannot be imported: {where}: RuntimeError: no GPU driver" in refusal(project)


def test_a_path_to_a_function_that_is_not_there(project: Project, mine: Path) -> None:
    declared = (mine / "__init__.py").read_text()
    (mine / "__init__.py").write_text(declared.replace('experiment="mine.experiment', 'experiment="mine.experiment:go'))
    assert refusal(project) == f"error: module mine.experiment has no 'go'\n  fix: add it to {mine / 'experiment.py'}\n"


def test_a_stage_that_belongs_to_no_part_of_the_trainable_is_named(project: Project, mine: Path) -> None:
    config = mine / "config.py"
    config.write_text(config.read_text().replace('"grow": ', '"grown": '))
    assert refusal(project) == (
        "error: stage mine.grow has part 'grow', which its trainable does not declare\n  fix: did you mean grown?\n"
    )
