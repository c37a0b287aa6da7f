"""Executors and trackers of installed packages."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest
from inline_snapshot import snapshot

from sweeper.engine.dispatch import Dispatch
from sweeper.engine.executors.inline import InlineExecutor
from sweeper.planning.graph import Plan
from sweeper.store.base import Store
from sweeper.trainable.stage import Stage
from tests.project import Project

RUN = ("run", "space.yaml")
HERE = "tests.sweeper.trainable.test_plugins"


class Counting(InlineExecutor):
    """An executor that knows how often it ran."""

    runs = 0

    def run(self, dispatch: Dispatch) -> None:
        Counting.runs += 1
        super().run(dispatch)


class Notebook:
    """A tracker that keeps what it was told."""

    lines: ClassVar[list[str]] = []
    broken = None

    def __init__(self, plan: Plan, store: Store, runs: Path, uri: str | None) -> None:
        self.lines.append(f"{plan.space.name} at {uri}")

    def ended(self, node: Stage, failure: str | None) -> None:
        self.lines.append(f"{node.function.label} {'failed' if failure else 'done'}")

    def write_search(self, results: Path) -> None:
        self.lines.append(f"search: {(results / 'tiny' / 'suggestions.parquet').exists()}")

    def close(self, failed: Mapping[str, str], interrupted: bool) -> None:
        self.lines.append(f"closed: {len(failed)} failed")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that brings an executor, one that is broken, and a tracker."""
    about = tmp_path / "site" / "extra-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: extra\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        f"[sweeper.executors]\ncounting = {HERE}:Counting\nbroken = nowhere.at.all:Executor\n"
        f"[sweeper.trackers]\nnotebook = {HERE}:Notebook\n"
    )
    monkeypatch.syspath_prepend(about.parent)


@pytest.mark.usefixtures("installed")
def test_the_executor_of_an_installed_package_is_chosen_by_its_name(project: Project) -> None:
    done = project.sweeper(*RUN, "--no-tracking", "--executor", "counting")
    assert (done.returncode, Counting.runs) == (0, 1), done.stderr


@pytest.mark.usefixtures("installed")
def test_the_tracker_of_an_installed_package_is_told_of_every_stage_and_of_the_end(project: Project) -> None:
    run = ("run", "space.yaml", "--executor", "inline", "--tracker", "notebook", "--tracking-uri", "here")
    done = project.sweeper(*run, "--set", "branch.kind=plus", "--set", "branch.size=1", "--seeds", "0")
    assert done.returncode == 0, done.stderr
    assert Notebook.lines[0] == "tiny-branch.kind=plus-branch.size=1 at here"
    assert "bend done" in Notebook.lines
    assert Notebook.lines[-2:] == ["search: False", "closed: 0 failed"]
    assert "MLflow" not in done.stdout
    assert not (project.path / "runs" / "mlflow.db").exists()


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            ["--executor", "inlin"],
            snapshot("""\
error: unknown executor 'inlin'
  fix: did you mean inline?
"""),
        ),
        (
            ["--executor", "broken"],
            snapshot("""\
error: the executor 'broken' (nowhere.at.all:Executor) cannot be imported: No module named 'nowhere'
  fix: repair or reinstall its package
"""),
        ),
        (
            ["--executor", "inline", "--max-concurrent", "2"],
            snapshot("""\
error: --executor inline runs in this process
  fix: leave out --address and --max-concurrent, or choose another executor
"""),
        ),
        (
            ["--executor", "inline", "--tracker", "mlflw"],
            snapshot("""\
error: unknown tracker 'mlflw'
  fix: did you mean mlflow?
"""),
        ),
    ],
)
def test_an_executor_or_tracker_that_cannot_be_used_is_told_before_anything_is_written(
    project: Project, options: list[str], told: str
) -> None:
    done = project.sweeper(*RUN, *options)
    assert (done.returncode, done.stderr) == (2, told)
    assert not (project.path / "runs").exists()
