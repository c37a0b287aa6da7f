"""Sweeps looked at from another terminal or later."""

import io
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from inline_snapshot import snapshot
from rich.console import Console

from sweeper.cli.inspection.status import local_time, watch_sweep
from sweeper.records.sweep import RunningStage
from tests.project import SPACE, Project
from tests.sweeper.recorded import BEGAN, begin_again, drive, record, say
from tests.sweeper.search_spaces import search_space

TIME = local_time(BEGAN)
TABLE = """
tiny       finished  failed  missing
plus · 1          2       0        0
plus · 2          2       0        0
plus · 3          2       0        0
minus · 1         2       0        0
minus · 2         2       0        0
minus · 3         2       0        0
"""


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("once"))
    made.write(SPACE)
    assert made.sweeper("run", "space.yaml", "--executor", "inline", "--no-tracking").returncode == 0
    shutil.rmtree(made.path / "runs" / "sweeps", ignore_errors=True)
    return made


@pytest.fixture
def finished(once: Project, tmp_path: Path) -> Project:
    """A project of its own with a sweep that has finished; a test records what its driver said."""
    shutil.copytree(once.path, tmp_path, dirs_exist_ok=True)
    return Project(tmp_path)


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Iterator[None]], None]:
    """Lets a driver do its next step whenever the watcher sleeps."""

    def _meanwhile(steps: Iterator[None]) -> None:
        monkeypatch.setattr(time, "sleep", lambda seconds: next(steps))

    return _meanwhile


def status(project: Project, *arguments: str) -> str:
    done = project.sweeper("status", "tiny", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_finished_sweep(finished: Project) -> None:
    record(finished)
    assert (
        status(finished)
        == (
            "tiny: finished\n"
            f"  driver   process 4711 on here, began {TIME}\n"
            f"  time     1:01 elapsed, until {TIME}\n"
            "  stages   50 of 50 done\n"
            "  trials   12 of 12 finished\n"
            "  command  sweeper run space.yaml\n"
        )
        + TABLE
    )


def test_a_running_sweep_is_counted_in_the_store(finished: Project) -> None:
    begin_again(finished, lost=3)
    running = (
        RunningStage(stage="grow", key="ab" * 32, share=0.431, seconds=12),
        RunningStage(stage="bend", key="cd" * 32, share=0, seconds=3),
    )
    with drive(finished):
        say(finished, "running", failed=1, left=312, running=running)
        assert status(finished).splitlines()[:13] == [
            "tiny: running",
            f"  driver   process 4711 on here, began {TIME}",
            "  time     1:01 elapsed, about 5:12 left",
            "  stages   47 of 50 done, 1 failed",
            "  trials   9 of 12 finished, 3 missing",
            "  command  sweeper run space.yaml",
            "  running  grow abababababab  43%  0:12",
            "           bend cdcdcdcdcdcd  0%  0:03",
            "",
            "tiny       finished  failed  missing",
            "plus · 1          0       0        2",
            "plus · 2          1       0        1",
            "plus · 3          2       0        0",
        ]


def test_a_driver_that_was_killed(finished: Project) -> None:
    record(finished, "running", left=312)
    lines = status(finished).splitlines()
    assert lines[0] == snapshot(
        "tiny: driver exited without a final status (killed?); run the same command again to resume"
    )
    assert lines[2] == f"  time     1:01 elapsed, until {TIME}"


@pytest.mark.parametrize("state", ["interrupted", "lost", "failed"])
def test_a_sweep_that_ended_early_says_why(finished: Project, state: str) -> None:
    record(finished, state, note="the cluster is gone")
    assert status(finished).startswith(f"tiny: {state}\n")
    assert "\n  note     the cluster is gone\n" in status(finished)


def test_what_the_driver_before_has_said_does_not_count(finished: Project) -> None:
    with drive(finished, began=BEGAN + timedelta(seconds=1)):
        say(finished, "finished")
        assert status(finished).startswith("tiny: starting\n")


def test_before_there_are_results(project: Project) -> None:
    with drive(project):
        assert status(project).splitlines()[2:] == [
            "  stages   not known yet",
            "  command  sweeper run space.yaml",
            "",
            "tiny  no results yet",
        ]


def test_failed_trials_with_their_causes(project: Project) -> None:
    project.write(SPACE.replace("[plus, minus]", "[plus, bad]"))
    project.sweeper("run", "space.yaml", "--executor", "inline", "--no-tracking")
    record(project, "failed")
    lines = status(project).splitlines()
    assert "  trials   6 of 12 finished, 6 failed" in lines
    assert lines[6].startswith(
        "  failed: bad · 1 · seed 0, bad · 1 · seed 1, bad · 2 · seed 0, bad · 2 · seed 1 and 2 more: ValueError: "
    )
    assert "bad · 3          0       2        0" in lines


def test_the_command_to_go_on(finished: Project) -> None:
    said = {"preset": "slow", "seeds": "0-1", "sets": ("branch.size=1", "trunk.steps=2")}
    options = {"no_tracking": True, "max_concurrent": 3, "save_seconds": 5.0, "rerun": ("bend", "grow")}
    record(finished, tracking_uri=None, options=options, **said)
    assert (
        "  command  sweeper run space.yaml --preset slow --seeds 0-1 --set branch.size=1 --set trunk.steps=2 "
        "--no-tracking --max-concurrent 3 --save-seconds 5 --rerun bend --rerun grow\n"
    ) in status(finished)
    options = {"tracking_uri": "http://server:5000"}
    record(finished, tracking_uri="http://server:5000", options=options, file=Path("/else where/space.yaml"))
    assert "  command  sweeper run '/else where/space.yaml' --tracking-uri http://server:5000\n" in status(finished)
    shutil.move(finished.path / "runs", finished.path / "other")
    assert "server:5000 --runs other\n" in status(finished, "--runs", "other")


def test_an_unknown_sweep(project: Project) -> None:
    record(project)
    done = project.sweeper("status", "tyni")
    assert done.returncode == 2
    assert done.stderr == snapshot("""\
error: no sweep called 'tyni' in runs
  fix: did you mean tiny?
""")


def test_watching_without_a_terminal_prints_what_changed(
    finished: Project, meanwhile: Callable[[Iterator[None]], None]
) -> None:
    targets = begin_again(finished, lost=2)
    runs = finished.path / "runs" / "store" / "objects"

    def steps() -> Iterator[None]:
        for key in targets[:2]:
            yield  # nothing new
            (runs / key[:2] / key).mkdir(parents=True)
            (runs / key[:2] / key / "manifest.json").write_text("{}")
            yield
        say(finished, "finished")
        driver.close()
        yield

    with ExitStack() as driver:
        driver.enter_context(drive(finished))
        say(finished, "running")
        meanwhile(steps())
        assert status(finished, "--watch").splitlines() == [
            "tiny: running, 48 of 50 stages, 10 of 12 trials finished",
            "tiny: running, 49 of 50 stages, 11 of 12 trials finished",
            "tiny: running, 50 of 50 stages, 12 of 12 trials finished",
            "tiny: finished, 50 of 50 stages, 12 of 12 trials finished",
        ]


def test_watching_on_a_terminal_draws_in_place_and_leaves_the_last_word(
    finished: Project, meanwhile: Callable[[Iterator[None]], None]
) -> None:
    out = io.StringIO()

    def steps() -> Iterator[None]:
        say(finished, "finished")
        driver.close()
        yield

    with ExitStack() as driver:
        driver.enter_context(drive(finished))
        say(finished, "running")
        meanwhile(steps())
        watch_sweep(finished.path / "runs", "tiny", Console(file=out, force_terminal=True, width=110, height=40))
    assert out.getvalue().count("tiny: running") == 1
    assert "\x1b[1A" in out.getvalue().partition("tiny: running")[2].partition("tiny: finished")[0]


def test_ctrl_c_leaves_the_watching_quietly(finished: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupt)
    with drive(finished):
        say(finished, "running")
        done = finished.sweeper("status", "tiny", "--watch")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == snapshot("tiny: running, 50 of 50 stages, 12 of 12 trials finished\n")


def test_watching_a_sweep_that_nobody_drives_prints_it_once(finished: Project) -> None:
    record(finished)
    assert status(finished, "--watch") == "tiny: finished, 50 of 50 stages, 12 of 12 trials finished\n"


def test_a_search_says_how_many_were_suggested_and_stopped(project: Project) -> None:
    project.write(search_space(("[plus, minus]", "[plus, nan]"), more="enqueue: [{branch.kind: nan, branch.size: 3}]"))
    assert project.sweeper("run", "space.yaml", "--executor", "inline", "--no-tracking").returncode == 0
    lines = project.sweeper("status", "hunt").stdout.splitlines()
    (said,) = (line for line in lines if line.startswith("  search   "))
    assert said.startswith("  search   6/6 suggestions, ")
    (counted,) = (line for line in lines if line.startswith("  trials   "))
    assert counted.endswith(" pruned")
