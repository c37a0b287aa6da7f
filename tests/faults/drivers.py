"""Drivers in processes of their own, which can be killed; they and their Ray's processes are known by a mark."""

import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from sweeper.store.local.directory import Directory
from tests.project import Project

PATIENCE = 120.0
MARK = "SWEEPER_TEST"
WORKER = "ResourceTrainable"
"""In the title of the warm processes that run stages."""


def marked(mark: str, title: str = "") -> list[int]:
    """Processes of the sweeps with this mark, drivers and Ray's, whose command line contains ``title``."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            ours = f"{MARK}={mark}".encode() in (directory / "environ").read_bytes()
            if ours and title.encode() in (directory / "cmdline").read_bytes():
                found.append(int(directory.name))
        except OSError:
            continue
    return found


def wait_until_nothing_runs(mark: str) -> None:
    """Also what a killed driver left must end by itself."""
    until = time.monotonic() + PATIENCE
    while left := marked(mark):
        assert time.monotonic() < until, f"still running: {left}"
        time.sleep(0.1)


def kill_all(mark: str) -> None:
    """End what runs with this mark."""
    for pid in marked(mark):
        os.kill(pid, signal.SIGKILL)


def _hear_ctrl_c() -> None:
    """Also where the tests are a script's background job, which inherits SIGINT as ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Driver:
    """``sweeper`` with these arguments, in a process group of its own."""

    def __init__(self, project: Project, *arguments: str, **environment: str) -> None:
        self.store = Directory(project.path / "runs" / "store")
        self.mark = f"{project.path}#{uuid.uuid4().hex}"
        self._log = (project.path / f"log.{uuid.uuid4().hex}").open("w+")
        self.process = subprocess.Popen(
            project.command(*arguments),
            cwd=project.path,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env={**project.environment, **environment, MARK: self.mark},
            start_new_session=True,
            preexec_fn=_hear_ctrl_c,
        )

    @property
    def done(self) -> int:
        """Artifacts in the store."""
        return sum(1 for _ in self.store.root.glob("objects/*/*/manifest.json"))

    @property
    def log(self) -> str:
        """All that it has printed."""
        self._log.seek(0)
        return self._log.read()

    def processes(self, title: str) -> list[int]:
        """Those of its Ray whose command line contains ``title``."""
        return marked(self.mark, title)

    def wait_for(self, condition: Callable[[], object]) -> None:
        """Raises AssertionError with what it printed when it ends before."""
        until = time.monotonic() + PATIENCE
        while not condition():
            assert self.process.poll() is None, self.log
            assert time.monotonic() < until, self.log
            time.sleep(0.01)

    def wait_for_work(self, artifacts: int) -> None:
        """Until so many artifacts are new."""
        before = self.done
        self.wait_for(lambda: self.done >= before + artifacts)

    def wait_for_progress(self) -> None:
        """Until a stage has saved some."""
        self.wait_for(lambda: any((self.store.root / "progress").glob("*/*")))

    def kill(self) -> None:
        """At once, and only the driver."""
        self.process.kill()
        self.process.wait()

    def interrupt(self) -> None:
        """Ctrl-C, which a terminal sends to the whole group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def wait_for_exit(self) -> int:
        """The exit code of a driver that ended by itself; it leaves no process behind."""
        code = self.process.wait(PATIENCE)
        wait_until_nothing_runs(self.mark)
        return code
