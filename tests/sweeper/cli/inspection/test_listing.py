import shutil
from pathlib import Path

from inline_snapshot import snapshot

from sweeper.cli.inspection.status import local_time
from tests.project import CASES, Project
from tests.sweeper.recorded import BEGAN, begin_again, record


def test_sweeps_with_their_state_and_trials(project: Project) -> None:
    project.write(CASES, "cases.yaml")
    for file in ("space.yaml", "cases.yaml"):
        assert project.sweeper("run", file, "--executor", "inline", "--no-tracking").returncode == 0
    shutil.rmtree(project.path / "runs" / "sweeps")
    begin_again(project, lost=3)
    record(project, "running")
    record(project, "interrupted", "later", spaces=["tiny", "cases"], file=Path("/elsewhere/later.yaml"))
    time = local_time(BEGAN)
    assert project.sweeper("list").stdout == (
        "sweep  state        trials  failed  last run             file\n"
        f"later  interrupted   21/24       0  {time}  /elsewhere/later.yaml\n"
        f"tiny   killed?        9/12       0  {time}  space.yaml\n"
    )


def test_results_that_no_record_tells_of(project: Project) -> None:
    project.write(CASES.replace("kind: plus", "kind: bad"))
    project.sweeper("run", "space.yaml", "--executor", "inline", "--no-tracking")
    shutil.rmtree(project.path / "runs" / "sweeps", ignore_errors=True)
    (line,) = project.sweeper("list").stdout.splitlines()[1:]
    assert line.startswith("cases  no record    8/12       4  ")


def test_a_record_that_cannot_be_read_hides_no_other(project: Project) -> None:
    record(project)
    record(project, name="broken")
    (project.path / "runs/sweeps/broken/sweep.json").write_text("{")
    lines = project.sweeper("list").stdout.splitlines()
    assert lines[1].rstrip() == snapshot("broken  record or results cannot be read")
    assert lines[2].startswith("tiny    finished")


def test_nothing_has_run(project: Project) -> None:
    assert project.sweeper("list").stdout == snapshot("nothing has been run in runs yet\n")
