"""``sweeper export --from-mlflow``: the results once more, without the store."""

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from inline_snapshot import Snapshot, snapshot
from mlflow import MlflowClient

from sweeper.planning.graph import Graph
from sweeper.records.extras import write_measures
from sweeper.records.writer import write_results
from sweeper.space.sweep import load_sweep
from sweeper.store.local.directory import Directory
from sweeper.tracking import client as experiments
from sweeper.tracking.export import _Export
from sweeper.tracking.tracker import MlflowTracker
from tests.masked import masked
from tests.project import SPACE, Project, finish
from tests.sweeper.records.test_extras import recommit

EXPORT = ("export", "--from-mlflow")
COSTS = ("seconds", "seconds_saved", "gpu_hours", "peak_memory", "seconds.grow", "seconds.branches")


def client_of(project: Project) -> MlflowClient:
    return MlflowClient(f"sqlite:///{project.path}/runs/mlflow.db")


def results(project: Project, runs: str = "runs", name: str = "tiny") -> pa.Table:
    return pq.read_table(project.path / runs / "results" / name / "trials.parquet")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A sweep whose store is gone, with a measure beside its pictures; and an experiment of somebody else."""
    made = Project(tmp_path_factory.mktemp("export"))
    graph = Graph.of(load_sweep(made.write(SPACE.replace("[1, 2, 3]", "[1, 2]"))))
    (plan,), store, runs = graph.plans, Directory(made.path / "runs/store"), made.path / "runs"
    store.prepare()
    finish(graph, store)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, (table := pa.table({"layer": [3, 5], "rank": [1, 4]})).schema) as writer:
        writer.write_table(table)
    recommit(store, plan.targets[2].key, {"ranks.arrow": sink.getvalue().to_pybytes()})
    MlflowTracker(plan, store, runs, None).close({}, interrupted=False)
    manifests = store.manifests(plan.stages)
    write_results(plan, store, manifests, runs / "results")
    write_measures(plan, store, manifests, runs / "results")
    shutil.rmtree(store.root)
    client_of(made).create_experiment("other")
    return made


def test_an_exported_sweep_is_what_its_driver_wrote(finished: Project) -> None:
    done = finished.sweeper(*EXPORT)
    assert done.returncode == 0, done.stderr
    assert done.stdout == snapshot("tiny: 8 of 8 trials finished; sweeper table tiny --runs exported\n")
    assert results(finished, "exported").equals(results(finished), check_metadata=True)
    assert finished.sweeper("table", "tiny", "--runs", "exported").stdout == finished.sweeper("table", "tiny").stdout
    for pattern in ("measures/*.parquet", "pictures/*/*.png"):
        written = files(finished.path / "runs/results/tiny", pattern)
        assert files(finished.path / "exported/results/tiny", pattern) == written
        assert written


def files(place: Path, pattern: str) -> dict[str, bytes]:
    return {str(path.relative_to(place)): path.read_bytes() for path in place.glob(pattern)}


def test_runs_are_read_page_by_page(finished: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiments, "PAGE", 3)
    assert finished.sweeper(*EXPORT, "tiny", "-o", "pages").returncode == 0
    assert results(finished, "pages").equals(results(finished))


def test_an_export_that_is_interrupted_leaves_the_last_one(finished: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    assert finished.sweeper(*EXPORT, "-o", "again").returncode == 0
    before = files(finished.path / "again", "**/*.*")
    fetch, calls = _Export._fetch, iter(range(100))

    def interrupted(self: _Export, *arguments: object) -> Path:
        if next(calls) == 12:
            raise KeyboardInterrupt
        return fetch(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(_Export, "_fetch", interrupted)
    assert finished.sweeper(*EXPORT, "-o", "again").returncode == 130
    assert files(finished.path / "again", "**/*.*") == before
    assert [path.name for path in (finished.path / "again/results").iterdir()] == ["tiny"]


def test_what_failed_says_why_and_what_has_no_run_is_missing(project: Project) -> None:
    project.write(SPACE.replace("[plus, minus]", "[plus, bad]").replace("[1, 2, 3]", "[1]"))
    assert project.sweeper("run", "space.yaml", "--executor", "inline").returncode == 1
    client = client_of(project)
    (gone,) = client.search_runs(["1"], "attributes.run_name = 'plus · 1 · seed 1'")
    client.delete_run(gone.info.run_id)
    done = project.sweeper(*EXPORT, "tiny")
    assert done.stdout == snapshot("tiny: 1 of 4 trials finished; sweeper table tiny --runs exported\n")
    made, absent, *failed = results(project).to_pylist()
    exported = results(project, "exported")
    assert exported.column_names == results(project).column_names
    assert exported.schema.metadata == results(project).schema.metadata
    unknown = dict.fromkeys(COSTS)
    numbers = dict.fromkeys(("score", "path", "matrix"))
    assert exported.to_pylist() == [
        made,
        absent | numbers | unknown | {"status": "missing", "cause": "no run in MLflow"},
        *(row | unknown for row in failed),
    ]
    assert [row["status"] for row in failed] == ["failed", "failed"]
    assert all("this branch is bad" in row["cause"] for row in failed)


def test_a_file_that_would_lead_out_of_the_directory_is_refused(finished: Project) -> None:
    client = copy_of(finished, "hostile.db")
    (run,) = client.search_runs(["1"], "attributes.run_name = 'plus · 1 · seed 1'")
    client.set_tag(run.info.run_id, "sweeper.files", "trial.json/../../x.png")
    done = finished.sweeper(*EXPORT, "--tracking-uri", client.tracking_uri, "-o", "hostile")
    assert done.returncode == 2
    assert done.stderr == snapshot("""\
error: MLflow names a file '..'
  fix: report it to the server's owner
""")
    assert not list((finished.path / "hostile/results").iterdir())


def copy_of(project: Project, name: str) -> MlflowClient:
    """A client of a copy of the database."""
    shutil.copy(project.path / "runs/mlflow.db", project.path / name)
    return MlflowClient(f"sqlite:///{project.path}/{name}")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ("tny",),
            snapshot("""\
error: no experiment is called 'tny' at {uri}
  fix: did you mean tiny?
"""),
        ),
        (
            ("other",),
            snapshot("""\
error: experiment 'other' is no sweep's at {uri}
  fix: known: tiny
"""),
        ),
        (
            ("-o", "runs"),
            snapshot("""\
error: runs has sweeps of its own
  fix: choose another directory with -o
"""),
        ),
        (
            ("--runs", "nowhere"),
            snapshot("""\
error: {path}/nowhere/mlflow.db does not exist
  fix: name its directory with --runs, or a server with --tracking-uri
"""),
        ),
    ],
)
def test_what_cannot_be_exported(finished: Project, arguments: tuple[str, ...], expected: Snapshot[str]) -> None:
    (finished.path / "runs/store").mkdir(exist_ok=True)
    done = finished.sweeper(*EXPORT, *arguments)
    assert done.returncode == 2
    uri = f"sqlite:///{finished.path}/runs/mlflow.db"
    assert masked(done.stderr, uri=uri, path=finished.path) == expected


def test_a_server_that_does_not_answer(project: Project) -> None:
    done = project.sweeper(*EXPORT, "--tracking-uri", "http://127.0.0.1:9")
    assert done.returncode == 2
    assert done.stderr.startswith("error: MLflow at http://127.0.0.1:9 cannot be used: ")
    assert done.stderr.endswith("\n  fix: start the server, or name another with --tracking-uri\n")
    assert not (project.path / "exported").exists()


def test_a_place_without_sweeps(finished: Project) -> None:
    client = copy_of(finished, "empty.db")
    client.delete_experiment("1")
    done = finished.sweeper(*EXPORT, "--tracking-uri", client.tracking_uri)
    assert masked(done.stderr, uri=client.tracking_uri) == snapshot("""\
error: no sweep has been tracked at {uri}
  fix: name another place with --tracking-uri
""")
    assert done.returncode == 2


def test_the_source_has_to_be_said(project: Project) -> None:
    assert project.sweeper("export", "tiny").stderr == snapshot("""\
error: choose where to export from
  fix: run sweeper export --from-mlflow
""")
