"""A user's own modules in the working directory, called as ours are."""

import os
import subprocess
import sys

import pytest

from tests.project import ROOT, SPACE, Project

INSTALLED = f"import sys; sys.path.append({str(ROOT)!r}); from sweeper.cli.main import main; main()"
"""As the console script runs it: ours behind the standard library, and no working directory in front."""
WAYS = {"script": ["-P", "-c", INSTALLED], "module": ["-m", "sweeper.cli"]}


def shadow(project: Project) -> None:
    """Modules of the user's own that cannot stand in for ours, and a trainable beside them."""
    for name in ("analysis/__init__.py", "analysis/results.py", "trainables/__init__.py", "click.py"):
        path = project.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"raise RuntimeError('{name} is the user\\'s own')\n")
    for path in (ROOT / "tests" / "tiny").glob("*.py"):
        made = project.path / "mine" / path.name
        made.parent.mkdir(exist_ok=True)
        made.write_text(path.read_text().replace("tests.tiny", "mine"))
    project.write(SPACE.replace("tests.tiny", "mine"))


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_modules_in_the_working_directory_shadow_none_of_ours(project: Project, way: str) -> None:
    shadow(project)
    environment = {**os.environ, "PYTHONPATH": str(ROOT) if way == "module" else ""}
    for arguments in (
        ["plan", "space.yaml"],
        ["run", "space.yaml", "--executor", "inline", "--no-tracking"],
        ["table", "tiny"],
    ):
        done = subprocess.run(
            [sys.executable, *WAYS[way], *arguments],
            cwd=project.path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert done.stdout.count("(n=2)") == 6
