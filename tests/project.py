"""A user's directory with a search space of the toy trainable, and the command line in it."""

import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from sweeper.cli.main import main
from sweeper.engine.dispatch import Dispatch
from sweeper.engine.executors.inline import InlineExecutor
from sweeper.planning.graph import Graph
from sweeper.store.local.directory import Directory

ROOT = Path(__file__).parent.parent
SPACE = """\
name: tiny
trainable: tests.tiny
preset: small
seeds: [0, 1]
axes:
  branch.kind: [plus, minus]
  branch.size: [1, 2, 3]
table: {rows: [branch.kind, branch.size], columns: [cost, score]}
"""
CASES = """\
name: cases
trainable: tests.tiny
preset: small
seeds: [0, 1]
fixed: {trunk.steps: 3}
cases:
  up: {branch.kind: plus, trunk.steps: 2}
  down: {branch.kind: minus}
  again: {branch.kind: minus, remark: as down}
axes:
  branch.size: [1, 2]
table: {rows: [branch.size, case], columns: [cost, score]}
"""


def finish(graph: Graph, store: Directory, **options: object) -> Dispatch:
    """Run what is missing, in this process."""
    dispatch = Dispatch(graph, store, machine=InlineExecutor().machine, save_seconds=60, observers=[], **options)  # type: ignore[arg-type]
    InlineExecutor().run(dispatch)
    return dispatch


@dataclass(frozen=True)
class Done:
    """How a command ended and what it printed."""

    returncode: int
    stdout: str
    stderr: str

    @property
    def error(self) -> str:
        """Standard error from "error: " on, without the warnings and log lines before it."""
        lines = self.stderr.splitlines(keepends=True)
        return "".join(lines[[line.startswith("error: ") for line in lines].index(True) :])


@dataclass(frozen=True)
class Project:
    """A user's directory with a search space, and the command line in it."""

    path: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "COLUMNS": "110"}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "sweeper.cli", *arguments]

    def sweeper(self, *arguments: str) -> Done:
        """The command line in this process."""
        with contextlib.chdir(self.path):
            result = CliRunner().invoke(main, arguments, catch_exceptions=False)
        return Done(result.exit_code, result.stdout, result.stderr)

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.path,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def write(self, text: str, name: str = "space.yaml") -> Path:
        path = self.path / name
        path.write_text(text)
        return path

    def csv(self, name: str = "tiny") -> str:
        done = self.sweeper("table", name, "--format", "csv")
        assert done.returncode == 0, done.stderr
        return done.stdout
