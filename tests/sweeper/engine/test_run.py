"""A sweep as a whole, in one process: what it leaves for later commands, and how it goes on."""

import json
import re
import shlex

import pytest
from inline_snapshot import snapshot

from sweeper.engine.executors.inline import InlineExecutor
from sweeper.engine.preparation import misfits
from sweeper.errors import SweeperError
from sweeper.planning.graph import Graph
from sweeper.records.sweep import driving, is_driven, read_record, read_status
from sweeper.space.sweep import load_sweep
from sweeper.store.local.directory import Directory
from sweeper.trainable.resources import Resources
from tests.masked import masked
from tests.project import SPACE, Project

RUN = ("run", "space.yaml", "--executor", "inline", "--no-tracking")


def made(project: Project) -> dict[str, float]:
    """When each artifact was written, by key."""
    return {path.parent.name: path.stat().st_mtime for path in (project.path / "runs").glob("store/objects/*/*/*.json")}


def test_a_finished_sweep_leaves_its_command_and_its_last_status(project: Project) -> None:
    done = project.sweeper(*RUN, "--seeds", "0")
    assert done.returncode == 0
    assert re.search(r"^  disk: [\d.]+ kB for its 25 artifacts, 0 bytes for unfinished stages$", done.stderr, re.M)
    runs = project.path / "runs"
    record = read_record(runs, "tiny")
    assert (record.file, record.seeds, record.spaces) == (project.path / "space.yaml", "0", ("tiny",))
    assert record.sources == {str(project.path / "space.yaml"): SPACE}
    status = read_status(runs, "tiny")
    assert status
    assert (status.state, status.done, status.total, status.running) == ("finished", 25, 25, ())
    assert not is_driven(runs, "tiny")


def test_what_a_sweep_needs_is_written_down_before_anything_runs(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sweeper.engine.executors.inline.perform", stop)
    assert project.sweeper(*RUN).returncode == 130
    assert project.csv().count(",0,12") == 0
    assert (project.path / "runs" / "results" / "tiny" / "trials.parquet").exists()
    status = read_status(project.path / "runs", "tiny")
    assert status
    assert status.state == "interrupted"


def test_one_sweep_has_one_driver(project: Project) -> None:
    project.sweeper(*RUN)
    runs = project.path / "runs"
    with driving(runs, read_record(runs, "tiny")):
        assert is_driven(runs, "tiny")
        done = project.sweeper(*RUN)
        record = read_record(runs, "tiny")
    assert done.returncode == 2
    assert masked(done.stderr, pid=record.pid, host=record.host) == snapshot("""\
error: sweep tiny is being run by process {pid} on {host}
  fix: watch it with: sweeper status tiny --watch
""")


def test_retry_runs_the_failed_trials_and_no_others(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write(SPACE.replace("[plus, minus]", "[plus, bad]"))
    done = project.sweeper(*RUN)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == snapshot("6 of 12 trials failed; run the same command again to retry them")
    before = made(project)
    project.write(SPACE.replace("[plus, minus]", "[plus, bad, minus]"))
    monkeypatch.setattr("tests.tiny.experiment.bend.body", lambda run, **_: (run.output / "bent.json").write_text("7"))
    done = project.sweeper("retry", "tiny", "--executor", "inline")
    assert (done.returncode, "MLflow" in done.stdout) == (0, False)
    after = made(project)
    assert all(after[key] == when for key, when in before.items())
    assert len(after) - len(before) == 6 * 4  # of the kind that failed; minus waits
    assert "minus · 1 · seed 0, minus · 1 · seed 1, minus · 2 · seed 0, minus · 2 · seed 1 and 2 more: not run yet" in (
        done.stdout
    )


def command(project: Project) -> str:
    """The command that the sweep was run with, as `status` prints it."""
    lines = project.sweeper("status", "tiny").stdout.splitlines()
    return next(line.split(maxsplit=1)[1] for line in lines if line.startswith("  command "))


def test_the_command_of_a_sweep_names_the_options_that_were_given_and_no_others(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.sweeper("run", "space.yaml", "--executor", "inline")
    assert command(project) == "sweeper run space.yaml --executor inline"
    project.sweeper(*RUN, "--seeds", "0", "--cache", "the cache", "--cache-size", "2GiB", "--save-seconds", "7")
    assert shlex.split(command(project)) == [
        "sweeper",
        "run",
        "space.yaml",
        "--seeds",
        "0",
        "--executor",
        "inline",
        "--no-tracking",
        "--cache",
        "the cache",
        "--cache-size",
        "2GiB",
        "--save-seconds",
        "7",
    ]
    monkeypatch.setenv("SWEEPER_STORE", "elsewhere")
    project.sweeper(*RUN)
    assert command(project).endswith(" --store elsewhere")


def test_the_record_of_a_sweep_holds_no_password(project: Project) -> None:
    project.sweeper(*RUN, "--optuna-storage", "postgresql://me:secret@host/studies")
    assert "secret" not in (project.path / "runs" / "sweeps" / "tiny" / "sweep.json").read_text()


def test_retry_has_the_options_of_the_last_run_unless_it_is_given_others(project: Project) -> None:
    project.sweeper(*RUN, "--store", "elsewhere", "--save-seconds", "7", "--rerun", "bend")
    done = project.sweeper("retry", "tiny", "--save-seconds", "8")
    assert done.returncode == 0, done.stderr
    assert "starting Ray" not in done.stderr
    options = read_record(project.path / "runs", "tiny").options
    assert options == {
        "executor": "inline",
        "no_tracking": True,
        "save_seconds": 8.0,
        "store": str(project.path / "elsewhere"),
    }
    done = project.sweeper("retry", "tiny", "--address", "127.0.0.1:1")
    assert "inline" not in done.stderr


def test_retry_of_a_sweep_that_nobody_has_run(project: Project) -> None:
    project.sweeper(*RUN)
    done = project.sweeper("retry", "tinny")
    assert done.returncode == 2
    assert done.stderr == snapshot("""\
error: no sweep called 'tinny' in runs
  fix: did you mean tiny?
""")


def test_one_more_axis_with_the_old_value_among_its_own_runs_only_what_is_new(project: Project) -> None:
    project.sweeper(*RUN)
    before = made(project)
    project.write(SPACE.replace("  branch.size", "  trunk.steps: [5, 6]\n  branch.size"))
    assert project.sweeper(*RUN).returncode == 0
    after = made(project)
    assert all(after[key] == when for key, when in before.items())
    assert len(after) == 2 * len(before)


def test_rerun_makes_again_what_other_code_made_and_says_so(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.sweeper(*RUN)
    before = made(project)
    monkeypatch.setattr("sweeper.planning.rerun.source_hash", lambda module: "edited")
    done = project.sweeper(*RUN, "--rerun", "total")
    assert "  rerun: discarded 12 artifacts of total and 0 that depend on them\n" in done.stderr
    after = made(project)
    assert sum(after[key] != when for key, when in before.items()) == 12


def test_a_stage_that_fits_on_no_node_is_refused_before_anything_runs(
    project: Project,
) -> None:
    project.write(SPACE + "resources: {bend: {cpus: 64, memory: 4GiB}}\n")
    graph = Graph.of(load_sweep(project.path / "space.yaml"))
    executor = InlineExecutor()
    executor.nodes = [Resources(2, 0.0, 2**34)]
    with pytest.raises(SweeperError) as error:
        list(misfits(graph, graph.stages, executor))
    assert str(error.value) == snapshot("""\
stage bend asks for 64 CPU, 4.0 GiB of memory, and the largest node has 2 CPU, 16.0 GiB of memory
  fix: request less in the search space: resources: {bend: {...}}\
""")


def test_a_damaged_manifest_in_the_middle_of_a_plan_changes_nothing(project: Project) -> None:
    project.sweeper(*RUN)
    store = Directory(project.path / "runs" / "store")
    key = next(iter(store.all_keys()))
    (store.path(key) / "manifest.json").write_text("{")
    planned = json.loads(project.sweeper("plan", "space.yaml", "--json").stdout)
    assert planned["cached"] == 49
    assert (store.path(key) / "manifest.json").read_text() == "{"
