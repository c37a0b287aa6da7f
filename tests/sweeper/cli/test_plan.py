"""What ``sweeper plan`` says, as a user reads it."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from inline_snapshot import snapshot

from sweeper.store.local.directory import Directory
from tests.project import CASES, SPACE, Project

PLAN = ("plan", "space.yaml", "--slots", "2")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("finished"))
    made.write(SPACE)
    done = made.sweeper("run", "space.yaml", "--executor", "inline", "--no-tracking")
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture
def copy(finished: Project, tmp_path: Path) -> Project:
    """A finished sweep whose stages took round numbers of seconds."""
    shutil.copytree(finished.path, tmp_path, dirs_exist_ok=True)
    made = Project(tmp_path)
    took(made, grow=1000.0, bend=10.0, total=1.0)
    return made


def store_of(project: Project) -> Directory:
    return Directory(project.path / "runs" / "store")


def took(project: Project, device: str = "cpu", **seconds: float) -> None:
    """Let the stages of a function have taken so many seconds on a device, and 1 kB of disk."""
    for path in store_of(project).root.glob("objects/*/*/manifest.json"):
        manifest = json.loads(path.read_text())
        label = manifest["stage"].rpartition(".")[2]
        changed = {"seconds": seconds[label], "device": device, "files": {"result": {"size": 1000}}, "sum": None}
        path.write_text(json.dumps(manifest | changed))


def forget(project: Project, *names: str) -> None:
    """Remove the artifacts that hold a file of one of these names."""
    for name in names:
        for path in store_of(project).root.glob(f"objects/*/*/{name}"):
            shutil.rmtree(path.parent)


def told(project: Project, *arguments: str) -> list[str]:
    """The sums at the end of a plan."""
    lines = project.sweeper(*PLAN, *arguments).stdout.splitlines()
    return lines[next(index for index, line in enumerate(lines) if line.startswith("seconds  ")) :]


def test_a_plan_of_nothing_yet(project: Project) -> None:
    assert project.sweeper(*PLAN).stdout == snapshot("""\
tiny: 12 trials, 60 stages, 50 unique, 0 cached, 50 to run

6 rows     stages  cached  to run  own  shared
plus · 1       10       0      10    8  2 with all 6 rows
plus · 2       10       0      10    8  2 with all 6 rows
plus · 3       10       0      10    8  2 with all 6 rows
minus · 1      10       0      10    8  2 with all 6 rows
minus · 2      10       0      10    8  2 with all 6 rows
minus · 3      10       0      10    8  2 with all 6 rows

stage  unique  cached  to run  time  seconds known
grow        2       0       2     -  unknown
bend       36       0      36     -  unknown
total      12       0      12     -  unknown

seconds   unknown until some stages have run
expected  unknown on 2 slots
saved     10 of 60 stages of one run per trial; time unknown
disk      0 bytes stored; still needed: unknown
""")


def test_a_plan_of_more_seeds_than_have_run(copy: Project) -> None:
    lines = copy.sweeper(*PLAN, "--seeds", "0-3").stdout.splitlines()
    assert lines[2:4] == snapshot(
        ["6 rows     stages  cached  to run  own  shared", "plus · 1       20      10      10   16  4 with all 6 rows"]
    )
    # two trunks side by side, then 18 bends of 10 s and 6 totals of 1 s on each of two slots
    assert lines[10:] == snapshot(
        [
            "stage  unique  cached  to run     time  seconds known",
            "grow        4       2       2  1:06:40  2 measured, 2 scaled",
            "bend       72      36      36    12:00  36 measured, 36 scaled",
            "total      24      12      12     0:24  12 measured, 12 scaled",
            "",
            "seconds   measured for 50, scaled from measured stages of the same function for 50",
            "expected  19:46 on 2 slots (critical path 16:51, work 39:32)",
            "saved     20 of 120 stages of one run per trial, 5:33:20 of 6:52:24 (81%)",
            "          5.56 core-hours; GPU-hours unknown: no stage was measured on a GPU",
            "disk      50.0 kB stored, about 50.0 kB still needed",
        ]
    )


def test_rows_say_with_which_others_they_share(project: Project) -> None:
    project.write(CASES)
    assert project.sweeper(*PLAN).stdout.splitlines()[2:9] == snapshot(
        [
            "6 rows     stages  cached  to run  own  shared",
            "up · 1         10       0      10    8  2 with up · 2",
            "up · 2         10       0      10    8  2 with up · 1",
            "down · 1       10       0      10    0  8 with again · 1, 2 with 3 rows",
            "down · 2       10       0      10    0  8 with again · 2, 2 with 3 rows",
            "again · 1      10       0      10    0  8 with down · 1, 2 with 3 rows",
            "again · 2      10       0      10    0  8 with down · 2, 2 with 3 rows",
        ]
    )


def test_rows_of_included_spaces_stand_below_the_names_of_these(project: Project) -> None:
    project.write(SPACE.replace("[1, 2, 3]", "[1]"))
    project.write(SPACE.replace("name: tiny", "name: other").replace("[1, 2, 3]", "[2]"), "other.yaml")
    project.write("name: both\ninclude: [space.yaml, other.yaml]\n", "both.yaml")
    assert project.sweeper("plan", "both.yaml").stdout.splitlines()[4:11] == snapshot(
        [
            "4 rows       stages  cached  to run  own  shared",
            "tiny",
            "  plus · 1       10       0      10    8  2 with all 4 rows",
            "  minus · 1      10       0      10    8  2 with all 4 rows",
            "other",
            "  plus · 2       10       0      10    8  2 with all 4 rows",
            "  minus · 2      10       0      10    8  2 with all 4 rows",
        ]
    )


def test_no_more_than_forty_rows_are_printed(project: Project) -> None:
    project.write(SPACE.replace("[1, 2, 3]", "[0, 1, 2, 3, 4, 5, 6, 7, 10]").replace("[0, 1]\n", "[0]\n", 1))
    steps = "axes:\n  trunk.steps: [1, 2, 3]\n"
    project.write((project.path / "space.yaml").read_text().replace("axes:\n", steps))
    lines = project.sweeper(*PLAN).stdout.splitlines()
    assert lines[2].startswith("54 rows ")
    assert lines[43] == snapshot("and 14 more rows; --json lists all")
    assert len(json.loads(project.sweeper(*PLAN, "--json").stdout)["rows"]) == 54


def test_a_finished_plan_has_nothing_to_run(copy: Project) -> None:
    assert told(copy) == snapshot(
        [
            "seconds   measured for 50",
            "expected  nothing to run",
            "saved     10 of 60 stages of one run per trial, 2:46:40 of 3:26:12 (81%)",
            "          2.78 core-hours; GPU-hours unknown: no stage was measured on a GPU",
            "disk      50.0 kB stored",
        ]
    )


def test_what_is_unknown_is_said_and_left_out(copy: Project) -> None:
    forget(copy, "bent.json", "metrics.json")
    assert told(copy) == snapshot(
        [
            "seconds   measured for 2, unknown for 48",
            "expected  unknown on 2 slots",
            "saved     10 of 60 stages of one run per trial, 2:46:40 of 3:20:00 (83%) for known stages",
            "          2.78 core-hours; GPU-hours unknown: no stage was measured on a GPU",
            "disk      2.0 kB stored; still needed: unknown",
        ]
    )
    assert told(copy, "--seeds", "0-2")[1] == snapshot(
        "expected  16:40 on 2 slots (critical path 16:40, work 16:40), excluding 72 stages of unknown duration"
    )
    assert told(copy, "--seeds", "0-2")[-1] == snapshot(
        "disk      2.0 kB stored, about 1.0 kB still needed (unknown for 72 stages)"
    )


def test_gpu_hours_are_those_of_stages_measured_on_a_gpu(copy: Project) -> None:
    copy.write(SPACE + "resources: {grow: {gpus: 0.5, cpus: 2}}\n")
    took(copy, "cuda", grow=3600.0, bend=10.0, total=1.0)
    assert told(copy)[2:4] == snapshot(
        [
            "saved     10 of 60 stages of one run per trial, 10:00:00 of 12:06:12 (83%)",
            "          20 core-hours; 5.00 GPU-hours",
        ]
    )


def test_a_plan_is_json_that_a_program_can_read(copy: Project) -> None:
    plan = json.loads(copy.sweeper(*PLAN, "--json", "--seeds", "0-3").stdout)
    assert (plan["trials"], plan["stages"], plan["unique"], plan["cached"], plan["to_run"]) == (24, 120, 100, 50, 50)
    assert plan["rows"][0] == {
        "space": "tiny",
        "label": "plus · 1",
        "branch.kind": "plus",
        "branch.size": 1,
        "seeds": [0, 1, 2, 3],
        "cost": 100,
        "stages": 20,
        "cached": 10,
        "to_run": 10,
        "own": 16,
        "shared": [{"group": 6, "stages": 4}],
        "seconds": 4124.0,
    }
    assert plan["groups"][6] == {"rows": [row["label"] for row in plan["rows"]], "stages": 4}
    assert plan["seconds"] == {
        "one_run_per_trial": 24744.0,
        "shared": 4744.0,
        "measured_stages": 50,
        "scaled_stages": 50,
        "counted_stages": 0,
        "unknown_stages": 0,
    }
    assert plan["expected"] == {
        "slots": 2,
        "makespan": 1186.0,
        "critical_path": 1011.0,
        "work": 2372.0,
        "unknown_stages": 0,
    }
    assert plan["saved"] == {"seconds": 20000.0, "core_hours": pytest.approx(20000 / 3600), "gpu_hours": None}
    assert plan["disk"] == {"bytes_here": 50000, "bytes_to_come": 50000, "unknown_stages": 0}


def test_seconds_of_a_row_are_those_of_its_results(finished: Project) -> None:
    results = pq.read_table(finished.path / "runs/results/tiny/trials.parquet").to_pylist()
    row = json.loads(finished.sweeper(*PLAN, "--json").stdout)["rows"][0]
    assert row["seconds"] == pytest.approx(results[0]["seconds"] + results[1]["seconds"])
