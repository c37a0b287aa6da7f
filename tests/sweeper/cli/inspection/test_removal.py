"""Deleting a sweep."""

import shutil
from pathlib import Path

import pytest
from inline_snapshot import snapshot
from mlflow import MlflowClient

from tests.project import CASES, SPACE, Project
from tests.sweeper.recorded import drive, record

PAPER = ["tiny", "cases"]


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("once"))
    for name, text in (("space.yaml", SPACE), ("cases.yaml", CASES)):
        made.write(text, name)
    made.write("name: paper\ninclude: [space.yaml, cases.yaml]\n", "paper.yaml")
    assert made.sweeper("run", "paper.yaml", "--executor", "inline", "--no-tracking").returncode == 0
    return made


@pytest.fixture
def finished(once: Project, tmp_path: Path) -> Project:
    shutil.copytree(once.path, tmp_path, dirs_exist_ok=True)
    made = Project(tmp_path)
    record(made, name="paper", spaces=PAPER)
    return made


def test_nothing_goes_until_it_is_said(finished: Project) -> None:
    before = sorted(finished.path.rglob("*"))
    done = finished.sweeper("rm", "paper")
    assert done.returncode == 0
    assert done.stdout == snapshot("""\
goes: runs/sweeps/paper
goes: runs/results/tiny
goes: runs/results/cases
stays: artifacts, until sweeper store gc
nothing deleted yet; run it again with --yes
""")
    assert sorted(finished.path.rglob("*")) == before


def test_record_and_results_go_and_artifacts_stay(finished: Project) -> None:
    artifacts = sorted((finished.path / "runs/store").rglob("*"))
    assert finished.sweeper("rm", "paper", "--yes").stdout == snapshot("""\
goes: runs/sweeps/paper
goes: runs/results/tiny
goes: runs/results/cases
stays: artifacts, until sweeper store gc
deleted
""")
    assert not list((finished.path / "runs/results").iterdir())
    assert not list((finished.path / "runs/sweeps").glob("paper"))
    assert sorted((finished.path / "runs/store").rglob("*")) == artifacts
    again = finished.sweeper("run", "paper.yaml", "--executor", "inline", "--no-tracking")
    assert ", 0 to run" in again.stderr


def test_results_that_another_sweep_has_stay(finished: Project) -> None:
    record(finished)
    done = finished.sweeper("rm", "paper", "--yes")
    assert done.stdout == snapshot("""\
goes: runs/sweeps/paper
goes: runs/results/cases
stays: tiny, a space of tiny too
stays: artifacts, until sweeper store gc
deleted
""")
    assert finished.sweeper("table", "tiny").returncode == 0


def test_a_sweep_that_is_being_run_is_refused(finished: Project) -> None:
    with drive(finished, "paper", PAPER):
        for arguments in (["rm", "paper"], ["rm", "paper", "--yes"]):
            done = finished.sweeper(*arguments)
            assert done.returncode == 2
            assert done.stderr == snapshot("""\
error: sweep paper is being run by process 4711 on here
  fix: stop it there with Ctrl-C first
""")
    assert len(list((finished.path / "runs/results").iterdir())) == 2


def test_a_space_of_a_sweep_goes_with_the_whole(finished: Project) -> None:
    done = finished.sweeper("rm", "cases")
    assert done.returncode == 2
    assert done.stderr == snapshot("""\
error: cases is a space of the sweep paper
  fix: delete all of it: sweeper rm paper
""")


def test_results_without_a_record(finished: Project) -> None:
    (finished.path / "runs/sweeps/paper/sweep.json").unlink()
    assert finished.sweeper("rm", "cases", "--yes").stdout == snapshot("""\
goes: runs/results/cases
stays: artifacts, until sweeper store gc
deleted
""")
    assert [path.name for path in (finished.path / "runs/results").iterdir()] == ["tiny"]


def test_an_unknown_sweep(finished: Project) -> None:
    done = finished.sweeper("rm", "papre")
    assert done.returncode == 2
    assert done.stderr == snapshot("""\
error: no sweep called 'papre' in runs
  fix: did you mean paper?
""")


def test_its_experiments_go_and_come_back_with_it(project: Project) -> None:
    project.write(SPACE.replace("[1, 2, 3]", "[1]"))
    assert project.sweeper("run", "space.yaml", "--executor", "inline").returncode == 0
    record(project)
    done = project.sweeper("rm", "tiny", "--yes")
    assert "goes: MLflow experiment tiny\n" in done.stdout
    client = MlflowClient(f"sqlite:///{project.path}/runs/mlflow.db")
    assert client.get_experiment_by_name("tiny").lifecycle_stage == "deleted"
    record(project)
    assert "experiment" not in project.sweeper("rm", "tiny").stdout
    assert project.sweeper("run", "space.yaml", "--executor", "inline").returncode == 0
    assert client.get_experiment_by_name("tiny").lifecycle_stage == "active"


def test_experiments_of_a_server_stay(finished: Project) -> None:
    record(finished, name="paper", spaces=PAPER, tracking_uri="http://server:5000")
    assert "stays: MLflow experiments at http://server:5000\n" in finished.sweeper("rm", "paper").stdout
    assert not Path(finished.path / "runs/mlflow.db").exists()
