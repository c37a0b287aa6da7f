"""What a manifest says of the code that made an artifact."""

import subprocess
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from sweeper.trainable import provenance
from tests.sweeper.trainable.test_source import forget


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A trainable of the user's own."""
    monkeypatch.syspath_prepend(str(tmp_path))
    path = tmp_path / "lab.py"
    path.write_text("import sklearn.linear_model\nfrom PIL import Image\nimport numpy as np\nRATE = 1\n")
    again()
    yield path
    again()


def again() -> None:
    """As in a process of its own."""
    forget()
    provenance.repository.cache_clear()
    provenance.packages.cache_clear()


def git(directory: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    command = ["git", *identity, *arguments]
    done = subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def committed(lab: Path) -> str:
    git(lab.parent, "init", "--quiet")
    git(lab.parent, "add", "lab.py")
    git(lab.parent, "commit", "--quiet", "--message", "A lab")
    return git(lab.parent, "rev-parse", "HEAD")


def test_the_packages_are_those_that_the_code_imports(lab: Path) -> None:
    recorded = provenance.packages("lab")
    assert set(recorded) == {"python", "scikit-learn", "pillow", "numpy"}
    assert recorded["scikit-learn"] == metadata.version("scikit-learn")


def test_the_commit_is_that_of_the_trainables_repository(lab: Path) -> None:
    commit = committed(lab)
    assert provenance.repository("lab") == provenance.Repository(commit, None)


def test_changes_to_the_code_that_is_run_are_recorded(lab: Path) -> None:
    commit = committed(lab)
    lab.write_text(lab.read_text().replace("RATE = 1", "RATE = 2"))
    recorded = provenance.repository("lab")
    assert recorded.commit == f"{commit}+"
    assert recorded.diff is not None
    assert "-RATE = 1\n+RATE = 2" in recorded.diff


def test_code_that_was_never_committed_is_named(lab: Path) -> None:
    commit = committed(lab)
    (lab.parent / "helper.py").write_text("A = 1\n")
    lab.write_text("import helper\n" + lab.read_text())
    again()
    recorded = provenance.repository("lab")
    assert recorded.commit == f"{commit}+"
    assert recorded.diff is not None
    assert recorded.diff.endswith("untracked: helper.py")


def test_a_long_diff_is_cut(lab: Path) -> None:
    committed(lab)
    lab.write_text("A = 1\n" * 10_000)
    diff = provenance.repository("lab").diff
    assert diff is not None
    assert diff.endswith("\n… truncated after 16 KiB")


def test_outside_a_repository_there_is_no_commit(lab: Path) -> None:
    assert provenance.repository("lab") == provenance.Repository(None, None)
