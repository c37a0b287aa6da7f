"""The orchestrator on Ray, with real processes that are really killed at random (seeded) moments."""

import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from sweeper.store import Store
from tests.conftest import ROOT, SPACE, Project

RUN = ("run", "space.yaml", "--preset", "slow", "--no-tracking", "--save-seconds", "0.1")
NAME = "tiny-slow"
STAGES = 50
PATIENCE = 120.0


def marked(mark: str, title: str = "") -> list[int]:
    """Processes of the sweeps with this mark, drivers and Ray's, whose command line contains ``title``."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            ours = mark.encode() in (directory / "environ").read_bytes()
            if ours and title.encode() in (directory / "cmdline").read_bytes():
                found.append(int(directory.name))
        except OSError:
            continue
    return found


def wait_until_nothing_runs(mark: str) -> None:
    until = time.monotonic() + PATIENCE
    while left := marked(mark):
        assert time.monotonic() < until, f"still running: {left}"
        time.sleep(0.1)


class Sweep:
    """A sweep in a process of its own; its Ray processes are known by an environment variable."""

    def __init__(self, project: Project) -> None:
        self.store = Store(project.path / "runs" / "store")
        self.mark = f"{project.path}#{uuid.uuid4().hex}"
        self._log = (project.path / "log").open("w+")
        self.process = subprocess.Popen(
            project.command(*RUN), cwd=project.path, stdout=self._log, stderr=subprocess.STDOUT,
            env={**project.environment, "SWEEPER_TEST": self.mark}, start_new_session=True,
        )  # fmt: skip

    @property
    def done(self) -> int:
        return sum(1 for _ in self.store.root.glob("objects/*/*/manifest.json"))

    @property
    def log(self) -> str:
        self._log.seek(0)
        return self._log.read()

    @property
    def workers(self) -> list[int]:
        """The warm processes that run stages."""
        return marked(self.mark, "ResourceTrainable")

    def wait_for(self, condition: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE
        while not condition():
            assert self.process.poll() is None, self.log
            assert time.monotonic() < until, self.log
            time.sleep(0.01)

    def wait_for_exit(self) -> int:
        """The exit code of a driver that ended by itself; it leaves no process behind."""
        code = self.process.wait(PATIENCE)
        wait_until_nothing_runs(self.mark)
        return code


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The same space, run in one process without any disturbance."""
    made = Project(tmp_path_factory.mktemp("undisturbed"))
    made.write(SPACE)
    done = made.sweeper(*RUN, "--inline")
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture(autouse=True)
def _nothing_left_running(project: Project) -> Iterator[None]:
    yield
    for pid in marked(str(project.path)):
        os.kill(pid, signal.SIGKILL)


def compare(project: Project, undisturbed: Project) -> None:
    """The table is the undisturbed one byte for byte, and nothing half done is left."""
    assert project.csv(NAME) == undisturbed.csv(NAME)
    store = Store(project.path / "runs" / "store")
    assert not list((store.root / "progress").iterdir())
    assert not list((store.root / "tmp").iterdir())


def test_ray_and_inline_give_identical_artifacts(project: Project, undisturbed: Project) -> None:
    sweep = Sweep(project)
    assert sweep.wait_for_exit() == 0, sweep.log
    compare(project, undisturbed)
    ours, theirs = sweep.store, Store(undisturbed.path / "runs" / "store")
    keys = [path.name for path in ours.root.glob("objects/*/*")]
    assert len(keys) == STAGES
    assert all(ours.manifest(key)["files"] == theirs.manifest(key)["files"] for key in keys)


@pytest.mark.parametrize("seed", [0, 1])
def test_killed_worker_killed_driver_and_ctrl_c(project: Project, undisturbed: Project, seed: int) -> None:
    moment = random.Random(seed)
    first = Sweep(project)
    first.wait_for(lambda: any((first.store.root / "progress").glob("*/*")) and bool(first.workers))
    os.kill(moment.choice(first.workers), signal.SIGKILL)
    killed_at = moment.randrange(1, 20)
    first.wait_for(lambda: first.done >= killed_at and bool(first.workers))
    first.process.kill()
    first.process.wait()

    second = Sweep(project)
    stopped_at = second.done + moment.randrange(1, 10)
    second.wait_for(lambda: second.done >= stopped_at and bool(second.workers))
    os.killpg(second.process.pid, signal.SIGINT)
    assert second.wait_for_exit() == 130, second.log
    assert "interrupted; the same command goes on where this one stopped" in second.log
    assert "Traceback" not in second.log

    third = Sweep(project)
    assert third.wait_for_exit() == 0, third.log
    wait_until_nothing_runs(first.mark)
    compare(project, undisturbed)


def test_a_trainable_of_the_users_own_directory(project: Project) -> None:
    package = project.path / "mine"
    package.mkdir()
    for path in (ROOT / "tests" / "tiny").glob("*.py"):
        (package / path.name).write_text(path.read_text().replace("tests.tiny", "mine"))
    project.write(SPACE.replace("tests.tiny", "mine"))
    environment = {name: value for name, value in project.environment.items() if name != "PYTHONPATH"}
    command = [str(Path(sys.executable).with_name("sweeper")), "run", "space.yaml", "--no-tracking"]
    done = subprocess.run(
        command, cwd=project.path, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("(n=2)") == 6


def test_an_address_where_no_cluster_is(project: Project) -> None:
    done = project.sweeper("run", "space.yaml", "--no-tracking", "--address", "127.0.0.1:1")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-2:] == [
        "error: no Ray cluster answers at 127.0.0.1:1",
        "  fix: start one with `ray up cluster.yaml`, or leave --address out to use this machine",
    ]


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one stage at a time")
def test_stages_that_take_less_time_than_a_process_to_start_run_side_by_side(project: Project) -> None:
    project.write(SPACE.replace("[0, 1]", "[0]").replace("[1, 2, 3]", str(list(range(8)))))
    done = project.sweeper("run", "space.yaml", "--no-tracking", "--set", "trunk.pause=0.08")
    assert done.returncode == 0, done.stderr
    store = Store(project.path / "runs" / "store")
    made = sorted((manifest["started"], manifest["seconds"]) for manifest in store.manifests(store.keys()).values())
    spans = [(datetime.fromisoformat(started).timestamp(), seconds) for started, seconds in made]
    assert sum(began + seconds > after for (began, seconds), (after, _) in pairwise(spans)) > 5
