"""What stands in MLflow after a sweep."""

import socket
from collections import Counter
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from PIL import Image

from sweeper.store import Store
from tests.conftest import SPACE, Project

INLINE = ("run", "space.yaml", "--inline")


def runs_of(project: Project, kind: str) -> list[Run]:
    client = MlflowClient(f"sqlite:///{project.path}/runs/mlflow.db")
    experiment = client.get_experiment_by_name("tiny")
    assert experiment
    return list(client.search_runs([experiment.experiment_id], f"tags.`sweeper.kind` = '{kind}'", max_results=1000))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("tracked"))
    made.write(SPACE)
    done = made.sweeper(*INLINE)
    assert done.returncode == 0, done.stderr
    assert "compare: sweeper ui\n" in done.stdout
    again = made.sweeper(*INLINE)
    assert again.returncode == 0, again.stderr
    return made


def test_a_sweep_has_one_run_and_below_it_one_per_trial_and_executed_stage(finished: Project) -> None:
    (sweep,) = runs_of(finished, "sweep")
    trials, stages = runs_of(finished, "trial"), runs_of(finished, "stage")
    assert (len(trials), len(stages)) == (12, 50)
    assert {run.data.tags["mlflow.parentRunId"] for run in [*trials, *stages]} == {sweep.info.run_id}
    assert {run.info.status for run in [sweep, *trials, *stages]} == {"FINISHED"}


def test_a_trial_run_holds_its_config_and_numbers(finished: Project) -> None:
    run = next(run for run in runs_of(finished, "trial") if run.info.run_name == "plus · 1 · seed 1")
    assert run.data.params["branch.kind"] == "plus"
    assert run.data.params["trunk.steps"] == "5"
    assert run.data.tags["sweeper.row.branch.size"] == "1"
    assert run.data.metrics["cost"] == 100
    assert run.data.metrics["seconds"] > 0
    client = MlflowClient(f"sqlite:///{finished.path}/runs/mlflow.db")
    path = client.get_metric_history(run.info.run_id, "path")
    assert [each.step for each in path] == [1, 2, 3]
    assert run.data.metrics["score"] == pytest.approx(sum(each.value for each in path))


def test_the_pictures_of_a_trial_can_be_looked_at_beside_its_numbers(finished: Project) -> None:
    client = MlflowClient(f"sqlite:///{finished.path}/runs/mlflow.db")
    run = runs_of(finished, "trial")[0]
    assert [each.path for each in client.list_artifacts(run.info.run_id)] == ["total.png"]
    with Image.open(client.download_artifacts(run.info.run_id, "total.png")) as picture:
        assert picture.size == (3, 2)


def test_a_stage_run_holds_its_learning_curve(finished: Project) -> None:
    stages = runs_of(finished, "stage")
    counts = Counter(run.data.params["stage"].rpartition(":")[2] for run in stages)
    assert counts == {"grow": 2, "bend": 36, "total": 12}
    grown = next(run for run in stages if run.data.params["stage"].endswith("grow"))
    client = MlflowClient(f"sqlite:///{finished.path}/runs/mlflow.db")
    assert [each.step for each in client.get_metric_history(grown.info.run_id, "value")] == [1, 2, 3, 4, 5]
    assert {"device", "cpus", "machine", "version"} <= grown.data.params.keys()


def test_what_a_killed_driver_did_not_write_is_written_by_the_next_run(project: Project) -> None:
    code = (
        "import os; from sweeper import tracking; from sweeper.cli import main\n"
        "ended, left = tracking.Tracker.ended, [20]\n"
        "def dying(self, node, failure):\n"
        "    left[0] -= 1\n"
        "    os._exit(9) if left[0] < 0 else ended(self, node, failure)\n"
        "tracking.Tracker.ended = dying\n"
        f"main({list(INLINE)!r})"
    )
    assert project.python("-c", code).returncode == 9
    assert [run.info.status for run in runs_of(project, "sweep")] == ["RUNNING"]
    again = project.sweeper(*INLINE)
    assert again.returncode == 0, again.stderr
    assert [run.info.status for run in runs_of(project, "sweep")] == ["FINISHED"]
    for kind, count in (("trial", 12), ("stage", 50)):
        keys = [run.data.tags["sweeper.key"] for run in runs_of(project, kind)]
        assert len(keys) == len(set(keys)) == count


def test_what_failed_stands_there_as_failed_with_its_cause(project: Project) -> None:
    project.write(SPACE.replace("[plus, minus]", "[plus, bad]").replace("[1, 2, 3]", "[1]"))
    assert project.sweeper(*INLINE).returncode == 1
    for kind, done in (("trial", 2), ("stage", 10)):
        runs = runs_of(project, kind)
        failed = [run for run in runs if run.info.status == "FAILED"]
        assert len(runs) - len(failed) == done
        assert all("this branch is bad" in run.data.tags["sweeper.cause"] for run in failed)
    assert [run.info.status for run in runs_of(project, "sweep")] == ["FAILED"]


def test_a_server_that_is_not_there_is_told_before_anything_runs(project: Project) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        uri = f"http://127.0.0.1:{taken.getsockname()[1]}"
        done = project.sweeper(*INLINE, "--tracking-uri", uri)
    assert done.returncode == 2
    assert f"error: MLflow at {uri} cannot be used: " in done.stderr
    assert done.stderr.endswith("fix: check --tracking-uri, or run with --no-tracking\n")
    assert not list((project.path / "runs/store/objects").iterdir())


def test_a_database_that_goes_away_does_not_take_the_sweep_with_it(project: Project) -> None:
    code = (
        "from sweeper import tracking; from sweeper.cli import main\n"
        "from mlflow.exceptions import MlflowException\n"
        "def gone(self, *args): raise MlflowException('the disk is gone')\n"
        "tracking.Tracker._write = gone\n"
        f"main({list(INLINE)!r})"
    )
    done = project.python("-c", code)
    assert done.returncode == 0
    assert "MLflow stopped answering: the disk is gone\n  the same command writes the rest" in done.stderr
    assert len(list(Store(Path(project.path) / "runs/store").root.glob("objects/*/*"))) == 50
    assert project.sweeper(*INLINE).returncode == 0
    assert len(runs_of(project, "trial")) == 12
