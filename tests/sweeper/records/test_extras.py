import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sweeper.planning.graph import Graph, Plan
from sweeper.records.extras import POINTS, write_measures
from sweeper.store.local.directory import Directory
from tests.project import Project, finish


@pytest.fixture
def plan(graph: Graph, store: Directory) -> Plan:
    finish(graph, store)
    return graph.plans[0]


@pytest.fixture
def written(plan: Plan, store: Directory, tmp_path: Path) -> Path:
    write_measures(plan, store, store.manifests(plan.stages), tmp_path)
    return tmp_path / "tiny"


def test_every_stage_that_is_done_is_a_row_with_the_number_of_trials_it_is_of(plan: Plan, written: Path) -> None:
    rows = pq.read_table(written / "stages.parquet").to_pylist()
    assert [row["key"] for row in rows] == list(plan.stages)
    grown = [row for row in rows if row["stage"] == "grow"]
    assert [(row["name"], row["part"], row["trials"]) for row in grown] == [
        ("grow seed=0", "grow", 6),
        ("grow seed=1", "grow", 6),
    ]
    assert {row["device"] for row in rows} == {"cpu"}
    assert all(row["peak_memory"] > 2**20 for row in rows)


def test_curves_are_what_stages_logged(written: Path, plan: Plan, store: Directory) -> None:
    rows = pq.read_table(written / "curves.parquet").to_pylist()
    key = next(key for key, node in plan.stages.items() if node.function.label == "grow")
    logged = json.loads((store.path(key) / "curve.json").read_text())
    mine = [row for row in rows if row["key"] == key]
    assert [row["step"] for row in mine] == logged["step"] == [1, 2, 3, 4, 5]
    assert [row["value"] for row in mine] == logged["value"]
    assert {row["metric"] for row in mine} == {"value"}


def test_a_long_curve_is_thinned_to_means_of_neighbours(plan: Plan, store: Directory, tmp_path: Path) -> None:
    key = next(key for key, node in plan.stages.items() if node.function.label == "grow")
    steps = list(range(1, 10 * POINTS + 1))
    recommit(store, key, {"curve.json": json.dumps({"step": steps, "value": [2.0 * step for step in steps]})})
    write_measures(plan, store, store.manifests(plan.stages), tmp_path)
    rows = [row for row in pq.read_table(tmp_path / "tiny" / "curves.parquet").to_pylist() if row["key"] == key]
    assert len(rows) == POINTS
    assert (rows[0]["step"], rows[0]["value"]) == (5.5, 11.0)


def test_pictures_and_tables_of_the_last_stages_are_taken_over(plan: Plan, store: Directory, tmp_path: Path) -> None:
    trial, target = next(iter(plan.pairs()))
    table = pa.table({"layer": [3, 5], "rank": [1, 4]})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    recommit(store, target.key, {"ranks.arrow": sink.getvalue().to_pybytes()})
    write_measures(plan, store, store.manifests(plan.stages), tmp_path)
    found = pq.read_table(tmp_path / "tiny" / "measures" / "ranks.parquet").to_pylist()
    assert found == [{"trial": trial.label, "layer": 3, "rank": 1}, {"trial": trial.label, "layer": 5, "rank": 4}]
    for _, each in plan.pairs():
        picture = tmp_path / "tiny" / "pictures" / each.key[:12] / "total.png"
        assert picture.read_bytes() == (store.path(each.key) / "total.png").read_bytes()


def test_a_file_that_fails_its_sum_is_left_out(plan: Plan, store: Directory, tmp_path: Path) -> None:
    _, target = next(iter(plan.pairs()))
    (store.path(target.key) / "total.png").write_bytes(b"no picture")
    write_measures(plan, store, store.manifests(plan.stages), tmp_path)
    assert not (tmp_path / "tiny" / "pictures" / target.key[:12]).exists()


def test_the_command_writes_them_at_its_end(project: Project) -> None:
    assert project.sweeper("run", "space.yaml", "--executor", "inline", "--no-tracking").returncode == 0
    assert pq.read_table(project.path / "runs" / "results" / "tiny" / "stages.parquet").num_rows == 50


def test_measures_of_earlier_trials_do_not_outlive_them(plan: Plan, store: Directory, tmp_path: Path) -> None:
    earlier = measure_of_earlier_trials(tmp_path)
    write_measures(plan, store, store.manifests(plan.stages), tmp_path)
    assert not earlier.exists()


def test_measures_of_earlier_trials_are_gone_from_the_start_of_a_run(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = measure_of_earlier_trials(project.path / "runs" / "results")
    monkeypatch.setattr(
        "sweeper.engine.results.write_measures", lambda *_: None
    )  # as in a run that is killed before its end
    assert project.sweeper("run", "space.yaml", "--executor", "inline", "--no-tracking").returncode == 0
    assert not earlier.exists()


def measure_of_earlier_trials(results: Path) -> Path:
    path = results / "tiny" / "measures" / "ranks.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"of trials that had these labels before")
    return path


def recommit(store: Directory, key: str, files: dict[str, str | bytes]) -> None:
    """The artifact once more, with these files beside or instead of its own."""
    manifest = store.manifest(key)
    contents = {name: (store.path(key) / name).read_bytes() for name in manifest.pop("files")} | files
    store.discard(key)
    with store.scratch() as directory:
        for name, content in contents.items():
            (directory / name).write_bytes(content.encode() if isinstance(content, str) else content)
        store.commit(key, directory, {name: value for name, value in manifest.items() if name != "sum"})
