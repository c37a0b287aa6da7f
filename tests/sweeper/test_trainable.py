"""What the author of a trainable is told."""

import subprocess
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from tests.masked import masked
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
    config.write_text(config.read_text().replace("PARTS = ", "PIECES = "))
    done = plan(project)
    assert done.returncode == 2
    assert masked(done.stderr, config=config) == snapshot("""\
error: {config}: PARTS is missing
  fix: add it: the meaning of every part of a run's cost by name, see @stage(part=...)
""")


def test_a_stage_that_belongs_to_no_part_of_the_trainable_is_named(project: Project, mine: Path) -> None:
    config = mine / "config.py"
    config.write_text(config.read_text().replace('"grow": ', '"grown": '))
    done = plan(project)
    assert done.returncode == 2
    assert done.stderr == snapshot("""\
error: stage mine.experiment:grow belongs to 'grow', which PARTS of its trainable lacks
  fix: did you mean grown?
""")
