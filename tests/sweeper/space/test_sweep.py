"""Whole sweeps in one process, as a user runs them."""

import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from inline_snapshot import snapshot

from sweeper.store.local.directory import Directory
from tests.project import CASES, SPACE, Project

INLINE = ("run", "space.yaml", "--executor", "inline", "--no-tracking")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("finished"))
    made.write(SPACE)
    done = made.sweeper(*INLINE)
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture
def copy(finished: Project, tmp_path: Path) -> Project:
    shutil.copytree(finished.path, tmp_path, dirs_exist_ok=True)
    return Project(tmp_path)


def store_of(project: Project) -> Directory:
    return Directory(project.path / "runs" / "store")


def test_a_run_ends_with_its_table_and_where_things_are(copy: Project) -> None:
    again = copy.sweeper(*INLINE)
    assert again.returncode == 0
    assert again.stderr.startswith("tiny: 12 trials, 60 stages, 50 unique, 50 cached, 0 to run\n  disk: ")
    table = copy.sweeper("table", "tiny").stdout
    assert again.stdout == f"\n{table}\nresults: runs/results/tiny/trials.parquet\n"
    assert table.splitlines()[:3] == [
        "tiny",
        "branch.kind  branch.size  cost                      score",
        "plus         1             100  11497.71 ± 12298.20 (n=2)",
    ]


def test_the_same_command_again_runs_nothing_and_prints_the_same_bytes(finished: Project, copy: Project) -> None:
    copy.sweeper(*INLINE)
    for how in ("text", "md", "csv", "json"):
        ours, theirs = (each.sweeper("table", "tiny", "--format", how).stdout for each in (copy, finished))
        assert ours == theirs != ""


def test_results_have_a_row_per_trial_with_everything(finished: Project) -> None:
    rows = pq.read_table(finished.path / "runs/results/tiny/trials.parquet").to_pylist()
    assert len(rows) == 12
    row = rows[0]
    assert (row["branch.kind"], row["branch.size"], row["trunk.steps"], row["seed"]) == ("plus", 1, 5, 0)
    assert row["status"] == "finished"
    assert row["score"] == pytest.approx(sum(row["path"]))
    assert row["matrix"] == [row["path"], row["path"]]
    assert len(row["stages"]) == 5
    assert row["stages"][-1] == row["target"]
    assert rows[2]["seconds_saved"] > 0  # the trunk that the first row of this seed has grown
    assert rows[0]["seconds_saved"] == 0


def test_the_seconds_of_every_part_stand_beside_those_of_the_whole(finished: Project) -> None:
    rows = pq.read_table(finished.path / "runs/results/tiny/trials.parquet").to_pylist()
    for row in rows:
        assert row["seconds"] == pytest.approx(row["seconds.grow"] + row["seconds.branches"])


def test_a_metric_that_no_run_has_measured_is_missing(copy: Project) -> None:
    copy.write(SPACE.replace("[cost, score]", "[cost, beauty]"))
    table = copy.sweeper(*INLINE).stdout.splitlines()
    assert table[3] == "plus         1             100  missing"


def test_seconds_of_a_part_may_be_a_column_of_the_table(copy: Project) -> None:
    copy.write(SPACE.replace("[cost, score]", "[seconds.branches, seconds]"))
    table = copy.sweeper(*INLINE).stdout.splitlines()
    assert table[2].split("  ")[-1].strip() == "seconds"
    assert "  branches s  " in table[2]


def test_a_failing_stage_fails_only_the_trials_above_it(project: Project) -> None:
    project.write(SPACE.replace("[plus, minus]", "[plus, bad]"))
    done = project.sweeper(*INLINE)
    assert done.returncode == 1
    assert "6 of 12 trials failed; run the same command again to retry them" in done.stderr
    assert 'raise ValueError("this branch is bad")' in done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[-1] for line in lines if line.startswith("bad ")] == ["failed"] * 3 + [lines[-3].split()[-1]]
    assert "bad · 1 · seed 0, bad · 1 · seed 1, bad · 2 · seed 0" in done.stdout
    assert "ValueError: this branch is bad (experiment.py:" in done.stdout
    assert sum("(n=2)" in line for line in lines) == 3
    rows = pq.read_table(project.path / "runs/results/tiny/trials.parquet").to_pylist()
    bad = [row for row in rows if row["branch.kind"] == "bad"]
    assert {row["status"] for row in bad} == {"failed"}
    assert {row["seconds"] for row in bad} == {row["seconds.branches"] for row in bad} == {None}


def test_damaged_artifacts_are_made_again_and_the_table_is_the_same(finished: Project, copy: Project) -> None:
    store = store_of(copy)
    for path in sorted(store.root.glob("objects/*/*/metrics.json"))[:3]:
        path.write_text("{}")
    for path in sorted(store.root.glob("objects/*/*/chain.txt")):
        path.write_text("")
    again = copy.sweeper(*INLINE)
    assert again.returncode == 0, again.stderr
    assert copy.csv() == finished.csv()


def test_a_damaged_input_found_in_the_middle_runs_again(finished: Project, copy: Project) -> None:
    store = store_of(copy)
    for path in [*store.root.glob("objects/*/*/bent.json"), *store.root.glob("objects/*/*/metrics.json")]:
        shutil.rmtree(path.parent)
    for path in store.root.glob("objects/*/*/chain.txt"):
        path.write_text("damaged")
    again = copy.sweeper(*INLINE)
    assert again.returncode == 0, again.stderr
    assert "48 to run" in again.stderr
    assert copy.csv() == finished.csv()
    assert len(list((store.root / "damaged").iterdir())) == 2


def test_more_seeds_run_only_what_is_new(copy: Project) -> None:
    done = copy.sweeper(*INLINE, "--seeds", "0-2")
    assert done.stderr.splitlines()[0] == snapshot("tiny: 18 trials, 90 stages, 75 unique, 50 cached, 25 to run")
    assert "(n=3)" in done.stdout


def test_cases_are_rows_of_the_table_and_of_the_results(project: Project) -> None:
    project.write(CASES)
    done = project.sweeper(*INLINE)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[0] == snapshot("cases: 12 trials, 60 stages, 36 unique, 0 cached, 36 to run")
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines[2:9]] == [
        ["branch.size", "case"],
        ["1", "up"],
        ["1", "down"],
        ["1", "again"],
        ["2", "up"],
        ["2", "down"],
        ["2", "again"],
    ]
    rows = pq.read_table(project.path / "runs/results/cases/trials.parquet").to_pylist()
    assert [(row["case"], row["branch.kind"], row["trunk.steps"]) for row in rows[::4]] == [
        ("up", "plus", 2),
        ("down", "minus", 3),
        ("again", "minus", 3),
    ]
    assert [row["target"] for row in rows[4:8]] == [row["target"] for row in rows[8:12]]


@pytest.mark.slow
def test_ctrl_c_leaves_rows_missing_and_the_same_command_goes_on(finished: Project, project: Project) -> None:
    code = (
        "import sys; from tests.tiny import experiment; from sweeper.cli.main import main\n"
        "body, left = experiment.bend.body, [10]\n"
        "def stopping(*args, **kwargs):\n"
        "    left[0] -= 1\n"
        "    if left[0] < 0: raise KeyboardInterrupt\n"
        "    body(*args, **kwargs)\n"
        "stopping.__annotations__ = body.__annotations__\n"
        "experiment.bend._parameters, experiment.bend.body\n"
        "experiment.bend.body = stopping\n"
        f"main({list(INLINE)!r})"
    )
    stopped = project.python("-c", code)
    assert stopped.returncode == 130, stopped.stderr
    assert stopped.stderr.endswith("interrupted; run the same command again to resume\n")
    assert "Traceback" not in stopped.stderr
    assert "missing" in stopped.stdout
    assert "not run yet" in stopped.stdout
    again = project.sweeper(*INLINE)
    assert again.returncode == 0
    assert project.csv() == finished.csv()
