"""Several search spaces as one sweep."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from inline_snapshot import Snapshot, snapshot
from mlflow import MlflowClient

from sweeper.store.local.directory import Directory
from tests.project import CASES, SPACE, Project

PAPER = "name: paper\ninclude: [space.yaml, more/cases.yaml]\n"
RUN = ("run", "paper.yaml", "--executor", "inline")
OURS = CASES.replace("trunk.steps: 3", "trunk.steps: 5")
"""Its cases down and again stand in tiny, too."""


@pytest.fixture
def paper(project: Project) -> Project:
    (project.path / "more").mkdir()
    project.write(OURS, "more/cases.yaml")
    project.write(PAPER, "paper.yaml")
    return project


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("paper"))
    (made.path / "more").mkdir()
    for name, text in (("space.yaml", SPACE), ("more/cases.yaml", OURS), ("paper.yaml", PAPER)):
        made.write(text, name)
    done = made.sweeper(*RUN)
    assert done.returncode == 0, done.stderr
    made.write(done.stdout, "stdout")
    made.write(done.stderr, "stderr")
    return made


def rows_of(project: Project, name: str) -> list[dict[str, object]]:
    """The rows of a sweep's results without what every run measures anew."""
    rows = pq.read_table(project.path / "runs/results" / name / "trials.parquet").to_pylist()
    return [{name: value for name, value in row.items() if not name.startswith(("seconds", "peak"))} for row in rows]


def test_included_spaces_run_as_one_graph(finished: Project) -> None:
    assert (finished.path / "stderr").read_text().splitlines()[:3] == snapshot(
        [
            "paper: 24 trials, 120 stages, 68 unique, 0 cached, 68 to run",
            "  tiny: 12 trials, 60 stages, 50 unique, 0 cached",
            "  cases: 12 trials, 60 stages, 36 unique, 0 cached",
        ]
    )


def test_a_stage_belongs_to_the_first_space_that_needs_it(finished: Project) -> None:
    store = Directory(finished.path / "runs/store")
    sweeps = [store.manifest(path.name)["sweep"] for path in store.root.glob("objects/*/*")]
    assert (sweeps.count("tiny"), sweeps.count("cases")) == (50, 18)


def test_every_table_is_printed_and_every_file_named(finished: Project) -> None:
    tables = [finished.sweeper("table", name).stdout for name in ("tiny", "cases")]
    assert (finished.path / "stdout").read_text() == (
        f"\n{tables[0]}\n{tables[1]}\nresults: runs/results/tiny/trials.parquet\n"
        "results: runs/results/cases/trials.parquet\ncompare: sweeper ui\n"
    )


def test_results_are_those_of_running_every_space_alone(finished: Project, paper: Project) -> None:
    for name, path in (("tiny", "space.yaml"), ("cases", "more/cases.yaml")):
        assert paper.sweeper("run", path, "--executor", "inline", "--no-tracking").returncode == 0
        assert rows_of(finished, name) == rows_of(paper, name)
        assert finished.csv(name) == paper.csv(name)
        schemas = [pq.read_schema(each.path / "runs/results" / name / "trials.parquet") for each in (finished, paper)]
        assert schemas[0].equals(schemas[1], check_metadata=True)


def test_every_space_has_an_experiment_of_its_own_in_mlflow(finished: Project) -> None:
    client = MlflowClient(f"sqlite:///{finished.path}/runs/mlflow.db")
    for name, executed in (("tiny", 50), ("cases", 18)):
        experiment = client.get_experiment_by_name(name)
        assert experiment
        for kind, count in (("sweep", 1), ("trial", 12), ("stage", executed)):
            runs = client.search_runs([experiment.experiment_id], f"tags.`sweeper.kind` = '{kind}'")
            assert {run.info.status for run in runs} == {"FINISHED"}
            assert len(runs) == count
    assert client.get_experiment_by_name("paper") is None


def test_the_same_command_again_runs_nothing(finished: Project) -> None:
    again = finished.sweeper(*RUN)
    assert again.returncode == 0
    assert again.stderr.splitlines()[:3] == snapshot(
        [
            "paper: 24 trials, 120 stages, 68 unique, 68 cached, 0 to run",
            "  tiny: 12 trials, 60 stages, 50 unique, 50 cached",
            "  cases: 12 trials, 60 stages, 36 unique, 36 cached",
        ]
    )
    assert again.stdout == (finished.path / "stdout").read_text()


def test_the_table_of_the_whole_names_those_there_are(finished: Project) -> None:
    done = finished.sweeper("table", "paper")
    assert done.returncode == 2
    assert done.stderr == snapshot("""\
error: no results 'paper' in runs/results
  fix: known: cases, tiny
""")


def test_a_failed_trial_fails_the_sweep_of_its_space_alone(paper: Project) -> None:
    paper.write(OURS.replace("down: {branch.kind: minus", "down: {branch.kind: bad"), "more/cases.yaml")
    done = paper.sweeper(*RUN)
    assert done.returncode == 1
    assert "4 of 24 trials failed; run the same command again to retry them" in done.stderr
    assert "down · 1 · seed 0, down · 1 · seed 1" in done.stdout
    client = MlflowClient(f"sqlite:///{paper.path}/runs/mlflow.db")
    for name, status in (("tiny", "FINISHED"), ("cases", "FAILED")):
        experiment = client.get_experiment_by_name(name)
        assert experiment
        (sweep,) = client.search_runs([experiment.experiment_id], "tags.`sweeper.kind` = 'sweep'")
        assert sweep.info.status == status


def test_the_command_line_applies_to_every_included_space(paper: Project) -> None:
    planned = paper.sweeper("plan", "paper.yaml", "--json", "--seeds", "0-2", "--set", "branch.size=4")
    summary = json.loads(planned.stdout)
    assert [(space["name"], space["trials"]) for space in summary["spaces"]] == [
        ("tiny-branch.size=4", 6),
        ("cases-branch.size=4", 9),
    ]
    assert {row["cost"] for row in summary["rows"]} == {400}
    assert [row["space"] for row in summary["rows"]] == ["tiny-branch.size=4"] * 2 + ["cases-branch.size=4"] * 3
    assert {tuple(row["seeds"]) for row in summary["rows"]} == {(0, 1, 2)}


def test_an_included_file_may_include(paper: Project) -> None:
    paper.write("name: inner\ninclude: [cases.yaml]\n", "more/inner.yaml")
    paper.write("name: outer\ninclude: [more/inner.yaml, space.yaml]\n", "outer.yaml")
    planned = paper.sweeper("plan", "outer.yaml").stdout.splitlines()
    assert planned[:3] == snapshot(
        [
            "outer: 24 trials, 120 stages, 68 unique, 0 cached, 68 to run",
            "  cases: 12 trials, 60 stages, 36 unique, 0 cached",
            "  tiny: 12 trials, 60 stages, 50 unique, 0 cached",
        ]
    )


MISTAKES = {
    "another key beside include": (
        PAPER + "seeds: [0]\n",
        snapshot("""\
error: paper.yaml:3:1: unknown key 'seeds'
  fix: move it to the included files: a file with include has only name and include
"""),
    ),
    "no name": (
        "include: [space.yaml]\n",
        snapshot("""\
error: paper.yaml:1:1: 'name' is missing
  fix: add it: the name of the sweep
"""),
    ),
    "nothing included": (
        "name: paper\ninclude: []\n",
        snapshot("""\
error: paper.yaml:2:10: include is empty
  fix: give it at least one value, or remove it
"""),
    ),
    "include that is no list": (
        "name: paper\ninclude: space.yaml\n",
        snapshot("""\
error: paper.yaml:2:10: include: expected a valid list, got 'space.yaml'
  fix: include: files of the search spaces, relative to this file
"""),
    ),
    "include of something else": (
        "name: paper\ninclude: [space.yaml, 3]\n",
        snapshot("""\
error: paper.yaml:2:23: include.1: expected a valid string, got 3
  fix: include: files of the search spaces, relative to this file
"""),
    ),
    "misspelled include": (
        "name: paper\nincludes: [space.yaml]\n",
        snapshot("""\
error: paper.yaml:2:1: unknown key 'includes'
  fix: did you mean include?
"""),
    ),
    "missing file": (
        PAPER.replace("space", "spaec"),
        snapshot("""\
error: paper.yaml:2:11: spaec.yaml: no such file
  fix: did you mean space.yaml?
"""),
    ),
    "missing file elsewhere": (
        PAPER.replace("cases", "case"),
        snapshot("""\
error: paper.yaml:2:23: more/case.yaml: no such file
  fix: did you mean cases.yaml?
"""),
    ),
    "a directory": (
        PAPER.replace("/cases.yaml", ""),
        snapshot("""\
error: paper.yaml:2:23: more: cannot be read: Is a directory
  fix: give the path of a YAML file
"""),
    ),
    "a file that includes itself": (
        PAPER.replace("space.yaml", "paper.yaml"),
        snapshot("""\
error: paper.yaml:2:11: paper.yaml includes itself
  fix: remove it from this list
"""),
    ),
    "a file that includes itself by another": (
        PAPER.replace("space.yaml", "back.yaml"),
        snapshot("""\
error: back.yaml:2:11: paper.yaml includes itself
  fix: remove it from this list
"""),
    ),
    "the same space twice": (
        PAPER.replace("more/cases.yaml", "more/../space.yaml"),
        snapshot("""\
error: paper.yaml:2:23: two included spaces are named 'tiny'
  fix: give each its own name, and include it once
"""),
    ),
    "a mistake in an included file": (
        PAPER.replace("more/cases", "more/wrong"),
        snapshot("""\
error: more/wrong.yaml:11:3: unknown name 'branch.sise'
  fix: did you mean branch.size?
"""),
    ),
}


def check(project: Project, expected: Snapshot[str], *arguments: str) -> None:
    before = sorted(project.path.rglob("*"))
    for command in ("run", "plan"):
        done = project.sweeper(command, "paper.yaml", *arguments)
        assert done.stderr == expected
        assert done.returncode == 2
        assert done.stdout == ""
    assert sorted(project.path.rglob("*")) == before


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_file_that_includes(paper: Project, mistake: str) -> None:
    text, expected = MISTAKES[mistake]
    paper.write(text, "paper.yaml")
    paper.write("name: back\ninclude: [paper.yaml]\n", "back.yaml")
    paper.write(OURS.replace("branch.size: [1", "branch.sise: [1"), "more/wrong.yaml")
    check(paper, expected)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ("--set", "adapter.p=10"),
            snapshot("""\
error: more/cases.yaml with --set adapter.p=10: unknown name 'adapter.p'
  fix: known: trunk.steps, trunk.pause, branch.kind, branch.size, remark
"""),
        ),
        (
            ("--preset", "big"),
            snapshot("""\
error: more/cases.yaml with --preset big: unknown preset 'big'
  fix: known: small, slow
"""),
        ),
        (
            ("--set", "branch.size=11"),
            snapshot("""\
error: more/cases.yaml with --set branch.size=11: branch.size: expected less than or equal to 10, got 11
  fix: branch.size: how much, 1 in preset small
"""),
        ),
    ],
)
def test_the_file_that_refuses_the_command_line_is_named(
    paper: Project, arguments: tuple[str, ...], expected: Snapshot[str]
) -> None:
    paper.write("name: paper\ninclude: [more/cases.yaml, space.yaml]\n", "paper.yaml")
    check(paper, expected, *arguments)


def test_what_cannot_run_here_is_told_before_anything_of_the_whole_runs(paper: Project) -> None:
    paper.write(OURS.replace("[1, 2]", "[1, 8]"), "more/cases.yaml")
    done = paper.sweeper(*RUN)
    assert done.returncode == 2
    assert done.stderr == snapshot("""\
error: more/cases.yaml:11:20: branch.size: 8 is not to be had here
  fix: take 7
""")
    assert not (Path(paper.path) / "runs").exists()
