"""What stands in MLflow after a sweep."""

import json
import socket
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from PIL import Image

from sweeper.planning.graph import Graph
from sweeper.space.sweep import load_sweep
from sweeper.store.local.directory import Directory
from sweeper.tracking.tracker import MlflowTracker
from tests.project import CASES, SPACE, Project, finish
from tests.sweeper.records.test_extras import recommit

pytestmark = pytest.mark.slow

INLINE = ("run", "space.yaml", "--executor", "inline")


def runs_of(project: Project, kind: str, name: str = "tiny") -> list[Run]:
    client = MlflowClient(f"sqlite:///{project.path}/runs/mlflow.db")
    experiment = client.get_experiment_by_name(name)
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


def trial_run(project: Project, label: str) -> Run:
    (run,) = (run for run in runs_of(project, "trial") if run.info.run_name == label)
    return run


def client_of(project: Project) -> MlflowClient:
    return MlflowClient(f"sqlite:///{project.path}/runs/mlflow.db")


def test_a_trial_run_is_named_readably_and_its_parameters_are_what_differs_within_the_sweep(finished: Project) -> None:
    run = trial_run(finished, "plus · 1 · seed 1")
    assert run.data.params == {"branch.kind": "plus", "branch.size": "1", "seed": "1"}


def test_a_trial_run_holds_its_numbers_and_what_they_cost(finished: Project) -> None:
    run = trial_run(finished, "plus · 1 · seed 1")
    assert run.data.metrics["cost"] == 100
    path = client_of(finished).get_metric_history(run.info.run_id, "path")
    assert [each.step for each in path] == [1, 2, 3]
    assert run.data.metrics["score"] == pytest.approx(sum(each.value for each in path))
    parts = run.data.metrics["seconds.grow"] + run.data.metrics["seconds.branches"]
    assert run.data.metrics["seconds"] == pytest.approx(parts)
    assert run.data.metrics["peak_memory"] > 1


def test_a_trial_run_keeps_its_pictures_and_all_of_the_trial_as_a_file(finished: Project) -> None:
    client, run = client_of(finished), trial_run(finished, "minus · 3 · seed 0")
    assert [each.path for each in client.list_artifacts(run.info.run_id)] == ["total.png", "trial.json"]
    with Image.open(client.download_artifacts(run.info.run_id, "total.png")) as picture:
        assert picture.size == (3, 2)
    told = json.loads(Path(client.download_artifacts(run.info.run_id, "trial.json")).read_text())
    assert told["config"] == {
        "seed": 0,
        "trunk": {"steps": 5, "pause": 0.0},
        "branch": {"kind": "minus", "size": 3},
        "remark": "nothing",
    }
    (row,) = (
        row
        for row in pq.read_table(finished.path / "runs/results/tiny/trials.parquet").to_pylist()
        if row["trial"] == "minus · 3 · seed 0"
    )
    assert told["metrics"] == {name: row[name] for name in ("score", "path", "matrix")}
    assert told["costs"] == {name: row[name] for name in told["costs"]}
    assert list(told["stages"]) == row["stages"]
    assert told["costs"]["seconds"] == pytest.approx(sum(told["stages"].values()))


def test_runs_get_the_parameters_that_come_to_differ_later(project: Project) -> None:
    few = CASES.replace("  up: {branch.kind: plus, trunk.steps: 2}\n", "").replace("[0, 1]", "[0]")
    project.write(few)
    assert project.sweeper(*INLINE).returncode == 0
    before = runs_of(project, "trial", "cases")
    assert {frozenset(run.data.params) for run in before} == {frozenset({"case", "branch.size", "remark", "seed"})}
    project.write(CASES.replace("[0, 1]", "[0]"))
    assert project.sweeper(*INLINE).returncode == 0
    params = {run.info.run_name: run.data.params for run in runs_of(project, "trial", "cases")}
    assert len(params) == len(before) + 2
    assert params["up · 1 · seed 0"] == {
        "case": "up",
        "branch.kind": "plus",
        "branch.size": "1",
        "trunk.steps": "2",
        "remark": "nothing",
        "seed": "0",
    }
    assert params["again · 2 · seed 0"] == {
        "case": "again",
        "branch.kind": "minus",
        "branch.size": "2",
        "trunk.steps": "3",
        "remark": "as down",
        "seed": "0",
    }
    project.write(few)
    assert project.sweeper(*INLINE).returncode == 0
    assert {run.info.run_name: run.data.params for run in runs_of(project, "trial", "cases")} == params


def test_a_stage_run_holds_its_learning_curve(finished: Project) -> None:
    stages = runs_of(finished, "stage")
    counts = Counter(run.data.params["stage"].rpartition(".")[2] for run in stages)
    assert counts == {"grow": 2, "bend": 36, "total": 12}
    grown = next(run for run in stages if run.data.params["stage"].endswith("grow"))
    client = MlflowClient(f"sqlite:///{finished.path}/runs/mlflow.db")
    assert [each.step for each in client.get_metric_history(grown.info.run_id, "value")] == [1, 2, 3, 4, 5]
    assert {"device", "cpus", "machine", "version"} <= grown.data.params.keys()


@pytest.mark.slow
def test_what_a_killed_driver_did_not_write_is_written_by_the_next_run(project: Project) -> None:
    code = (
        "import os; from sweeper.tracking import tracker as tracking; from sweeper.cli.main import main\n"
        "ended, left = tracking.MlflowTracker.ended, [20]\n"
        "def dying(self, node, failure):\n"
        "    left[0] -= 1\n"
        "    os._exit(9) if left[0] < 0 else ended(self, node, failure)\n"
        "tracking.MlflowTracker.ended = dying\n"
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


def test_what_has_run_again_takes_the_place_of_its_run(project: Project) -> None:
    path = project.write(SPACE.replace("[plus, minus]", "[plus]").replace("[1, 2, 3]", "[1]"))
    (plan,) = (graph := Graph.of(load_sweep(path))).plans
    (store := Directory(project.path / "runs/store")).prepare()
    finish(graph, store)
    for score in (None, 3.5):
        if score:
            recommit(store, plan.targets[0].key, {"metrics.json": json.dumps({"score": score})})
        tracker = MlflowTracker(plan, store, project.path / "runs", None)
        tracker.ended(plan.targets[0], None)
        tracker.close({}, interrupted=False)
        assert tracker.broken is None
    assert len(runs_of(project, "stage")) == 10
    assert len(runs_of(project, "trial")) == 2
    assert trial_run(project, "plus · 1 · seed 0").data.metrics["score"] == 3.5


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


@pytest.mark.slow
def test_a_database_that_goes_away_does_not_take_the_sweep_with_it(project: Project) -> None:
    code = (
        "from sweeper.tracking.runs import TrackedRuns; from sweeper.cli.main import main\n"
        "from mlflow.exceptions import MlflowException\n"
        "def gone(self, *args): raise MlflowException('the disk is gone')\n"
        "TrackedRuns.write = gone\n"
        f"main({list(INLINE)!r})"
    )
    done = project.python("-c", code)
    assert done.returncode == 0
    assert "MLflow stopped answering: the disk is gone\n  run the same command again to write the rest" in done.stderr
    assert len(list(Directory(Path(project.path) / "runs/store").root.glob("objects/*/*"))) == 50
    assert project.sweeper(*INLINE).returncode == 0
    assert len(runs_of(project, "trial")) == 12
