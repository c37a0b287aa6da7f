"""What the author of a trainable is told."""

import subprocess
from pathlib import Path

import pytest

from analysis.results import read_results
from tests.project import ROOT, SPACE, Project

TINY = ROOT / "tests" / "tiny"


@pytest.fixture
def mine(project: Project) -> Path:
    """A trainable in the user's own directory."""
    package = project.path / "mine"
    package.mkdir()
    for path in TINY.glob("*.py"):
        (package / path.name).write_text(path.read_text().replace("tests.tiny", "mine"))
    project.write(SPACE.replace("tests.tiny", "mine"))
    return package


def plan(project: Project) -> subprocess.CompletedProcess[str]:
    return project.python("-m", "sweeper", "plan", "space.yaml")


def test_what_a_trainable_does_not_offer_is_named(project: Project, mine: Path) -> None:
    assert plan(project).returncode == 0
    config = mine / "config.py"
    config.write_text(config.read_text().replace("PRESETS = ", "SETS = "))
    done = plan(project)
    assert done.returncode == 2
    assert done.stderr == f"error: {config}: PRESETS is missing\n  fix: add it: complete configs by name\n"


def test_only_a_config_presets_and_a_run_are_needed(project: Project, mine: Path) -> None:
    for path, names in {"config": ("FACTS", "METRICS", "PARTS"), "experiment": ("def facts", "def check")}.items():
        text = (mine / f"{path}.py").read_text()
        for name in names:
            text = text.replace(name, name.replace("def ", "def no_") if "def" in name else f"NO_{name}")
        (mine / f"{path}.py").write_text(text)
    project.write(SPACE.replace("tests.tiny", "mine").replace("cost, score", "score, seconds.grow, seconds.branches"))
    done = project.python("-m", "sweeper", "run", "space.yaml", "--inline", "--no-tracking")
    assert done.returncode == 0, done.stderr
    results = read_results(project.path / "runs" / "results", "tiny").described
    assert {name: number.kind for name, number in results.numbers.items() if "." in name or name == "score"} == {
        "score": "metric", "seconds.grow": "cost", "seconds.branches": "cost",
    }  # fmt: skip
    assert [line.split()[-1] != "-" for line in done.stdout.splitlines()[2:8]] == [True] * 6


def test_a_search_may_be_for_any_number_where_none_is_declared(project: Project, mine: Path) -> None:
    config = mine / "config.py"
    config.write_text(config.read_text().replace("METRICS = ", "NUMBERS = "))
    searched = "search:\n  objectives: {score: maximise}\n  trials: 2\n  distributions: {branch.size: {int: [1, 3]}}\n"
    project.write(f"name: tiny\ntrainable: mine\npreset: small\nseeds: [0]\n{searched}")
    assert plan(project).returncode == 0


def test_an_unknown_trainable_is_told_where_it_was_looked_for(project: Project, mine: Path) -> None:
    project.write(SPACE.replace("tests.tiny", "mein"))
    assert plan(project).stderr == (
        "error: space.yaml:2:12: unknown trainable 'mein': "
        "neither an installed one nor a package in the working directory\n"
        "  fix: did you mean mine? (one of your own: run in the directory that holds it, or set PYTHONPATH)\n"
    )


def test_a_package_without_a_config_is_no_trainable_and_none_is_offered(project: Project, mine: Path) -> None:
    project.write(SPACE.replace("tests.tiny", "sources"))
    sources = ROOT / "trainables" / "sources"
    assert plan(project).stderr == (
        f"error: space.yaml:2:12: 'sources' is no trainable: {sources} has no config.py\n"
        "  fix: add one that offers Config and PRESETS, or name another (known: funlora, mine)\n"
    )


@pytest.mark.parametrize(("broken", "cause"), [
    ("import nothing_of_the_kind\n", "ModuleNotFoundError: No module named 'nothing_of_the_kind'"),
    ("seed = = 1\n", "SyntaxError: invalid syntax (config.py, line 2)"),
    ("1 / 0\n", "ZeroDivisionError: division by zero"),
])  # fmt: skip
def test_a_config_that_cannot_be_imported_is_told_with_its_line(
    project: Project, mine: Path, broken: str, cause: str
) -> None:
    (mine / "config.py").write_text(f"# mine\n{broken}")
    assert plan(project).stderr == (
        f"error: space.yaml:2:12: trainable 'mine': importing mine.config fails: {cause} ({mine / 'config.py'}:2)\n"
        "  fix: mend it: python -c 'import mine.config' shows all of it\n"
    )


def test_a_stage_that_belongs_to_no_part_of_the_trainable_is_named(project: Project, mine: Path) -> None:
    config = mine / "config.py"
    config.write_text(config.read_text().replace('"grow": ', '"grown": '))
    done = plan(project)
    assert done.returncode == 2
    assert done.stderr == (
        "error: stage mine.grow belongs to 'grow', which PARTS of its trainable lacks\n"
        "  fix: did you mean grown?\n"
    )
