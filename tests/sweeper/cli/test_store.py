"""What a user sees of the store, and what is deleted of it."""

import fcntl
import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from sweeper.records.sweep import SweepRecord, driving
from sweeper.store.local.directory import Directory
from tests.masked import masked
from tests.project import Project

KEY = "ab" + "0" * 62
OTHER = "cd" + "0" * 62
RUN = ("run", "space.yaml", "--executor", "inline", "--no-tracking")


@pytest.fixture(scope="module")
def _swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = Project(tmp_path_factory.mktemp("swept"))
    made.write(
        "name: tiny\ntrainable: tests.tiny\npreset: small\nseeds: [0]\naxes: {branch.size: [1, 2]}\n"
        "table: {rows: branch.size, columns: [score]}\n"
    )
    for more in ((), ("--seeds", "0,1"), ("--set", "branch.kind=minus")):
        assert made.sweeper(*RUN, *more).returncode == 0
    return made.path


@pytest.fixture
def swept(_swept: Path, tmp_path: Path) -> Project:
    """Results of ``tiny`` and of ``tiny-branch.kind=minus``, which share the trunk of seed 0."""
    return Project(Path(shutil.copytree(_swept, tmp_path, dirs_exist_ok=True)))


@pytest.fixture
def kept(swept: Project) -> Directory:
    return Directory(swept.path / "runs" / "store")


def listed(project: Project, *options: str) -> list[dict[str, Any]]:
    return list(json.loads(project.sweeper("store", "ls", "--json", *options).stdout))


def make(store: Directory, key: str, **manifest: object) -> Path:
    with store.scratch() as directory:
        (directory / "file").write_text("content")
        store.commit(key, directory, manifest)
    return store.path(key)


def record(project: Project, began: datetime) -> SweepRecord:
    return SweepRecord(
        name="tiny",
        spaces=("tiny",),
        file=project.path / "space.yaml",
        sets=(),
        seeds=None,
        preset=None,
        sources={},
        tracking_uri=None,
        commit=None,
        began=began,
        host="here",
        pid=1,
    )


def test_ls_lists_every_artifact_newest_first_with_who_needs_it(swept: Project, kept: Directory) -> None:
    found = listed(swept)
    assert {each["key"] for each in found} == set(kept.all_keys())
    assert [each["made"] for each in found] == sorted((each["made"] for each in found), reverse=True)
    trunks = listed(swept, "--stage", "grow")
    assert [(each["params"]["seed"], each["needed_by"]) for each in trunks] == [
        (1, ["tiny"]),
        (0, ["tiny", "tiny-branch.kind=minus"]),
    ]
    head, *lines = swept.sweeper("store", "ls", "--stage", "grow").stdout.splitlines()
    assert head.split() == ["key", "size", "seconds", "made", "needed", "by", "stage"]
    assert lines[1].startswith(f"{trunks[1]['key']:.12}  ")
    assert lines[1].endswith("  2  grow seed=0")


def test_ls_prints_fifty_lines_unless_asked_for_all(swept: Project, kept: Directory) -> None:
    for number in range(30):
        make(kept, f"{number:064x}")
    count = len(kept.all_keys())
    printed = swept.sweeper("store", "ls").stdout.splitlines()
    assert len(printed) == 52
    assert masked(printed[-1], count=count - 50) == snapshot("and {count} older ones; --all lists them")
    assert len(swept.sweeper("store", "ls", "--all").stdout.splitlines()) == count + 1


def test_ls_of_an_unknown_stage(swept: Project) -> None:
    done = swept.sweeper("store", "ls", "--stage", "grwo")
    assert done.returncode == 2
    assert done.stderr == snapshot("""\
error: no artifacts of a stage function 'grwo'
  fix: did you mean grow?
""")


@pytest.mark.parametrize("command", ["ls", "verify", "gc", "du"])
def test_a_store_that_is_not_there(project: Project, command: str) -> None:
    done = project.sweeper("store", command)
    assert done.returncode == 2
    assert done.stderr == snapshot("""\
error: runs/store does not exist
  fix: run a sweep first, or give its directory with --runs or its store with --store
""")


def test_verify_sets_damaged_artifacts_aside_and_the_next_run_makes_them_again(swept: Project, kept: Directory) -> None:
    count = len(kept.all_keys())
    assert masked(swept.sweeper("store", "verify").stdout, count=count) == snapshot("{count} artifacts, all whole\n")
    cut, flipped, gone = (str(each["key"]) for each in listed(swept, "--stage", "bend")[:3])
    unreadable, more = (str(each["key"]) for each in listed(swept, "--stage", "total")[:2])
    before = (kept.path(cut) / "bent.json").stat().st_size
    (kept.path(cut) / "bent.json").write_text("1")
    (kept.path(flipped) / "bent.json").write_text("x" * (kept.path(flipped) / "bent.json").stat().st_size)
    (kept.path(gone) / "bent.json").unlink()
    (kept.path(unreadable) / "manifest.json").write_text("{")
    (kept.path(more) / "extra").write_text("")
    done = swept.sweeper("store", "verify")
    assert done.returncode == 1
    *lines, last = done.stdout.splitlines()
    bend = {key: next(line for line in lines if key[:12] in line) for key in (cut, flipped, gone)}
    assert bend[cut].endswith(f": bent.json has 1 bytes instead of {before}")
    assert bend[cut].startswith(f"damaged  {cut[:12]} bend turn=")
    assert bend[flipped].endswith(": bent.json does not match its checksum")
    assert bend[gone].endswith(": bent.json is missing")
    assert f"damaged  {unreadable[:12]} unknown: manifest.json cannot be read" in lines
    assert f"unlisted {more[:12]} total: extra is not in the manifest" in lines
    assert len(lines) == 5
    assert masked(last, count=count) == snapshot(
        "4 of {count} artifacts are damaged and quarantined; the next run makes them again"
    )
    assert not any(kept.has(key) for key in (cut, flipped, gone, unreadable))
    assert kept.has(more)
    for more_options in ((), ("--seeds", "0,1"), ("--set", "branch.kind=minus")):
        assert swept.sweeper(*RUN, *more_options).returncode == 0
    assert swept.sweeper("store", "verify").returncode == 0


def test_gc_deletes_what_no_results_need_and_only_with_yes(swept: Project, kept: Directory) -> None:
    before = kept.all_keys()
    assert swept.sweeper("store", "gc", "--yes").stdout == snapshot("nothing to delete\n")
    shutil.rmtree(swept.path / "runs" / "results" / "tiny-branch.kind=minus")
    shown = swept.sweeper("store", "gc").stdout.splitlines()
    assert [line.split()[:3] for line in shown[:-1]] == [["artifacts", "total", "2"], ["artifacts", "bend", "6"]]
    assert shown[-1].startswith("8 things, ")
    assert shown[-1].endswith(": nothing deleted; --yes deletes")
    assert kept.all_keys() == before
    assert swept.sweeper("store", "gc", "--yes").stdout.endswith(": deleted\n")
    assert len(kept.all_keys()) == len(before) - 8
    assert "0 to run" in swept.sweeper(*RUN, "--seeds", "0,1").stderr


def test_gc_deletes_what_dead_processes_left_and_nothing_of_living_ones(swept: Project, kept: Directory) -> None:
    needed = str(listed(swept)[0]["key"])
    dead = [
        kept.root / place
        for place in (
            "tmp/dead/half",
            f"claims/{OTHER}",
            f"failures/{OTHER}.json",
            f"damaged/{OTHER}.12345678/file",
            f"progress/{OTHER}/00000000.aa/state",
            f"progress/{needed}/00000000.aa/state",
        )
    ]
    artifact = make(kept, KEY)
    living = [
        artifact,
        *(
            kept.root / place
            for place in (
                f"claims/{KEY}",
                f"progress/{KEY}/00000000.aa/state",
                f"failures/{KEY}.json",
            )
        ),
    ]
    for path in [*dead, *living[1:]]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("left")
    with kept.scratch() as mine, (kept.root / "claims" / KEY).open("rb") as claim:
        fcntl.flock(claim, fcntl.LOCK_EX)
        shown = swept.sweeper("store", "gc")
        assert [line.split()[:2] for line in shown.stdout.splitlines()[:-1]] == [
            ["progress", "2"],
            ["damaged", "unknown"],
            ["failures", "1"],
            ["leftovers", "1"],
            ["claims", "1"],
        ]
        assert all(path.exists() for path in [*dead, *living])
        assert swept.sweeper("store", "gc", "--yes").returncode == 0
        assert all(path.exists() for path in [*living, mine])
        assert not any(path.exists() for path in dead)
        assert list((kept.root / "tmp").iterdir()) == [mine]
    assert swept.sweeper("store", "gc", "--yes").returncode == 0
    assert not any(path.exists() for path in living if needed not in str(path))


def test_gc_refuses_when_results_cannot_be_read(swept: Project, kept: Directory) -> None:
    before = kept.all_keys()
    (swept.path / "runs" / "results" / "tiny" / "trials.parquet").write_text("no parquet")
    done = swept.sweeper("store", "gc", "--yes")
    assert done.returncode == 2
    assert done.stderr == snapshot("""\
error: runs/results/tiny/trials.parquet cannot be read: cannot tell which artifacts its sweep needs
  fix: run its sweep again, or remove runs/results/tiny
""")
    assert kept.all_keys() == before


def test_gc_without_any_results_says_that_everything_would_go(swept: Project, kept: Directory) -> None:
    before = kept.all_keys()
    shutil.rmtree(swept.path / "runs" / "results")
    assert "runs/results has no results: these are all artifacts of the store\n" in swept.sweeper("store", "gc").stdout
    assert kept.all_keys() == before
    assert swept.sweeper("store", "gc", "--yes").returncode == 0
    assert kept.all_keys() == []


def test_gc_waits_for_a_running_sweep_to_write_down_what_it_needs(swept: Project, kept: Directory) -> None:
    results = swept.path / "runs" / "results" / "tiny" / "trials.parquet"
    with driving(swept.path / "runs", record(swept, datetime.now(UTC) + timedelta(seconds=1))):
        done = swept.sweeper("store", "gc", "--yes")
        assert done.returncode == 2
        assert done.stderr == snapshot("""\
error: sweep tiny is starting and has not recorded yet which artifacts it needs
  fix: wait until it ends, or stop it with Ctrl-C and resume it later
""")
        os.utime(results, (datetime.now().timestamp() + 2,) * 2)
        assert swept.sweeper("store", "gc", "--yes").returncode == 0


def test_gc_keeps_what_a_lost_sweep_had_made(swept: Project, kept: Directory) -> None:
    before = kept.all_keys()
    shutil.rmtree(swept.path / "runs" / "results" / "tiny")
    with driving(swept.path / "runs", record(swept, datetime.now(UTC))):
        pass
    done = swept.sweeper("store", "gc", "--yes")
    assert done.returncode == 2
    assert done.stderr == snapshot("""\
error: sweep tiny did not finish, and which artifacts it needs is not recorded
  fix: run it again, or abandon it: remove runs/sweeps/tiny
""")
    assert kept.all_keys() == before


def test_du_counts_every_byte_once_and_what_a_sweep_needs_alone(swept: Project, kept: Directory) -> None:
    (kept.root / "damaged").mkdir()
    (kept.root / "damaged" / "file").write_text("12345")
    used = json.loads(swept.sweeper("store", "du", "--json").stdout)
    assert used["damaged"] == 5
    assert used["total"] == sum(path.stat().st_size for path in kept.root.rglob("*") if path.is_file())
    assert used["total"] == 5 + sum(each["bytes"] for each in used["functions"].values())
    minus, tiny = used["spaces"]["tiny-branch.kind=minus"], used["spaces"]["tiny"]
    (shared,) = (each["bytes"] for each in listed(swept, "--stage", "grow") if len(each["needed_by"]) == 2)
    assert minus["bytes"] - minus["own_bytes"] == tiny["bytes"] - tiny["own_bytes"] == shared
    lines = swept.sweeper("store", "du").stdout.splitlines()
    assert next(line for line in lines if line.startswith("damaged")).split() == ["damaged", "5", "bytes"]


def test_an_artifact_taken_meanwhile_stays(kept: Directory, swept: Project) -> None:
    from sweeper.cli.inspection.garbage import find_rubbish, remove_rubbish

    place = make(kept, KEY)
    found = find_rubbish(kept, swept.path / "runs")
    assert [kept.root / each.name for each in found] == [place]
    (kept.root / "claims").mkdir(exist_ok=True)
    with (kept.root / "claims" / KEY).open("wb") as claim:
        fcntl.flock(claim, fcntl.LOCK_EX)
        remove_rubbish(kept, found)
        assert place.exists()
    remove_rubbish(kept, found)
    assert not place.exists()
