"""Whole sweeps whose store is a bucket."""

import json
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from sweeper.cli.health import probe as examination
from tests.buckets import Network
from tests.masked import masked
from tests.project import SPACE, Project
from tests.sweeper.store.artifacts import opened
from tests.tiny.disturbance import LOG

pytestmark = pytest.mark.slow

SMALL = SPACE.replace("[1, 2, 3]", "[1]").replace("[0, 1]", "[0]")
SLOW = SMALL.replace("preset: small", "preset: slow")
STAGES = 9
RUN = ("run", "space.yaml", "--executor", "inline", "--no-tracking")


@pytest.fixture
def swept(project: Project, url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Project:
    """A project of which a command with ``--store`` reaches a bucket."""
    monkeypatch.setenv("SWEEPER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv(LOG, str(tmp_path / "log"))
    project.write(SMALL)
    return project


def started(project: Project) -> Counter[str]:
    """How often every stage was started."""
    log = project.path / "log"
    return Counter(log.read_text().splitlines() if log.exists() else ())


@contextmanager
def driver(project: Project, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A driver in a process of its own."""
    command, env = project.command(*arguments), {**project.environment, **environment}
    with subprocess.Popen(command, cwd=project.path, env=env, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_table_is_that_of_a_directory_and_later_commands_know_where_the_artifacts_are(
    swept: Project, url: str
) -> None:
    assert swept.sweeper(*RUN, "--runs", "other").returncode == 0
    wanted = swept.sweeper("table", "tiny", "--runs", "other", "--format", "csv").stdout
    assert swept.sweeper(*RUN, "--store", url).returncode == 0
    assert swept.csv() == wanted
    assert not (swept.path / "runs" / "store").exists()
    assert "  stages   9 of 9 done\n" in swept.sweeper("status", "tiny").stdout
    assert "tiny   finished     2/2 " in swept.sweeper("list").stdout
    assert "stages: 5 of 5\n" in swept.sweeper("show", "tiny/plus").stdout
    assert "9 cached, 0 to run" in swept.sweeper("plan", "space.yaml", "--store", url).stdout
    assert f"until sweeper store gc --store {url}\n" in swept.sweeper("rm", "tiny").stdout
    again = swept.sweeper(*RUN, "--store", url)
    assert "9 cached, 0 to run" in again.stderr
    assert set(started(swept).values()) == {2}  # once in either store


def test_the_store_in_a_bucket_is_looked_after(swept: Project, url: str) -> None:
    swept.sweeper(*RUN, "--store", url)
    where = ("--store", url)
    assert len(swept.sweeper("store", "ls", *where).stdout.splitlines()) == 1 + STAGES
    assert swept.sweeper("store", "verify", *where).stdout == snapshot("9 artifacts, all whole\n")
    assert swept.sweeper("store", "gc", *where).stdout == snapshot("nothing to delete\n")
    used = json.loads(swept.sweeper("store", "du", "--json", *where).stdout)
    assert {name: each["artifacts"] for name, each in used["functions"].items()} == {"bend": 6, "total": 2, "grow": 1}
    assert used["free"] is None
    bucket = opened(url, swept.path / "elsewhere")
    key = next(key for key, each in bucket.manifests(bucket.all_keys()).items() if each["stage"].endswith(".grow"))
    bucket.write(f"files/{key}/{bucket.manifest(key)['attempt']}/chain.txt", b"another")
    done = swept.sweeper("store", "verify", *where)
    assert done.returncode == 1
    assert masked(done.stdout, key=key[:12]) == snapshot("""\
damaged  {key} grow seed=0: chain.txt has 7 bytes instead of 64
1 of 9 artifacts are damaged and quarantined; the next run makes them again
""")
    shown = swept.sweeper("store", "gc", *where, "--yes").stdout.splitlines()
    assert [line.split()[:2] for line in shown[:-1]] == [["damaged", "grow"], ["leftovers", "1"]]
    assert [list(bucket.entries(place)) for place in ("tmp", "damaged", "claims")] == [[], [], []]


def test_doctor_examines_the_bucket(swept: Project, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "_gpus", list)  # it starts a process
    assert f"ok   store: {url} can be written, locked and read\n" in swept.sweeper("doctor", "--store", url).stdout
    done = swept.sweeper("doctor", "--store", "s3://no-such-bucket/x")
    assert done.returncode == 1
    assert done.stdout.partition("FAIL store: ")[2].splitlines()[:2] == snapshot(
        ["the bucket no-such-bucket does not exist", "     fix: create it, or choose another one with --store"]
    )


def test_a_bucket_that_cannot_be_used_is_said_before_anything_starts(swept: Project) -> None:
    done = swept.sweeper(*RUN, "--store", "s3://no-such-bucket/x")
    assert done.returncode == 2
    assert done.stderr == snapshot("""\
error: the bucket no-such-bucket does not exist
  fix: create it, or choose another one with --store
""")
    assert not (swept.path / "runs").exists()
    done = swept.sweeper(*RUN, "--store", "s3://bucket/x", "--cache-size", "a lot")
    assert done.returncode == 2
    assert done.stderr == snapshot("""\
error: --cache-size: 'a lot' is not a size
  fix: write it like 20GiB
""")


def test_a_bucket_that_stops_answering_ends_the_run_and_the_same_command_goes_on(
    swept: Project, url: str, net: Network
) -> None:
    fault = net.fault("500", after=80)
    done = swept.sweeper(*RUN, "--store", url)
    assert done.returncode == 1
    assert masked(done.error, url=url) == snapshot("""\
error: the store {url} does not respond: 500 Internal Server Error
  fix: fix that, then run the same command again to resume
""")
    assert "Traceback" not in done.stderr
    assert 0 < len(started(swept)) < STAGES
    fault.times = 0
    assert swept.sweeper(*RUN, "--store", url).returncode == 0
    assert len(started(swept)) == STAGES
    assert sum(started(swept).values()) - STAGES <= 1  # what could not be committed


def test_a_driver_that_is_killed_goes_on_at_once_on_the_same_node(swept: Project, url: str) -> None:
    swept.write(SLOW)
    store = opened(url, swept.path / "cache")
    with driver(swept, *RUN, "--store", url, "--save-seconds", "0.1") as process:
        until = time.monotonic() + 60
        while len(store.all_keys()) < 3:
            assert time.monotonic() < until
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    whole = store.all_keys()
    assert all(store.verify(key) is None for key in whole)
    done = swept.sweeper(*RUN, "--store", url, "--save-seconds", "0.1")
    assert done.returncode == 0, done.stderr
    assert sum(started(swept).values()) - STAGES <= 1  # the one that was cut off
    assert len(store.all_keys()) == STAGES
    for place in ("tmp", "progress", "claims", "failures"):
        assert list(store.entries(place)) == []


def test_two_drivers_on_two_nodes_do_no_stage_twice(swept: Project, url: str) -> None:
    swept.write(SLOW)
    other = ("--runs", "other", "--cache", "other-cache")
    with driver(swept, *RUN, "--store", url, *other) as process:
        done = swept.sweeper(*RUN, "--store", url)
        assert process.wait(60) == 0
    assert done.returncode == 0, done.stderr
    assert len(started(swept)) == STAGES
    assert set(started(swept).values()) == {1}
    assert swept.csv() == swept.sweeper("table", "tiny", "--runs", "other", "--format", "csv").stdout
