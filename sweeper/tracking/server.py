"""Serve the MLflow UI of the embedded database on the loopback interface, opened at the sweep's comparison."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from sweeper.errors import SweeperError
from sweeper.records.layout import RunsDirectory
from sweeper.records.sweep import last_record
from sweeper.records.trials import spaces_of
from sweeper.tracking.links import MAX_COMPARED, find_runs, server_of

READY_SECONDS = 60.0


def show_runs(runs: Path, name: str | None, port: int | None, *, browse: bool) -> None:
    """Print the addresses of a sweep's runs in MLflow, by default of the last one, and open the first page.

    The embedded database is served until Ctrl-C; a tracking server that the sweep has used serves itself.

    Raises SweeperError for an unknown sweep, where there is no database, and where a server does not answer.
    """
    spaces = spaces_of(runs, name) if name else _last_tracked(runs)
    if server := server_of(runs, spaces):
        click.echo(f"MLflow UI: {server}")
        _open(_say_links(runs, spaces, server) or server, browse)
        return
    try:
        with _served(runs, port) as (process, base):
            click.echo(f"MLflow UI: {base}  (Ctrl-C stops it)")
            _open(_say_links(runs, spaces, base) or base, browse)
            process.wait()
    except KeyboardInterrupt:
        click.echo("stopped")


def _last_tracked(runs: Path) -> list[str]:
    """Return the spaces of the last sweep that was run with MLflow."""
    last = last_record(runs, lambda record: record.tracking_uri is not None)
    return list(last.spaces) if last else []


def _say_links(runs: Path, spaces: Sequence[str], base: str) -> str | None:
    """Print the page that compares the trials of each space, and return the first."""
    first = None
    for space in spaces:
        found = find_runs(runs, space, base)
        count = len(found.runs)
        if not count:
            click.echo(f"compare {space}: none of its trials has a finished run there")
            continue
        some = f"{MAX_COMPARED} of {count} trials, each row with its first seeds"
        which = f"{count} trials" if count <= MAX_COMPARED else some
        click.echo(f"compare {space} ({which}): {found.compare(base)}")
        first = first or found.compare(base)
    return first


def _open(url: str, browse: bool) -> None:
    """Open a page in a browser, if there is a screen."""
    if (
        browse
        and sys.stdout.isatty()
        and ({"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys() or sys.platform == "darwin")
    ):
        webbrowser.open(url)


@contextlib.contextmanager
def _served(runs: Path, port: int | None) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Start a server of the embedded database; yield it and its address once it responds. Raises SweeperError."""
    there = RunsDirectory(runs)
    database = there.database
    if not database.exists():
        raise SweeperError(f"{database} does not exist", fix="run a sweep first, or name its directory with --runs")
    for stop in (signal.SIGINT, signal.SIGTERM):  # also where a script's background job inherits SIGINT as ignored
        signal.signal(stop, signal.default_int_handler)
    port = port or _free_port()
    server = Path(sys.executable).with_name("mlflow")
    command = [
        str(server) if server.exists() else shutil.which("mlflow") or "mlflow",
        "server",
        "--backend-store-uri",
        there.tracking_uri,
        "--artifacts-destination",
        there.tracked_files.absolute().as_uri(),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--workers",
        "1",
    ]
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"}
    process = subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment, start_new_session=True
    )
    try:
        _wait(process, port)
        yield process, f"http://127.0.0.1:{port}"
    finally:
        _stop(process)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise SweeperError(f"the MLflow server ended with code {process.returncode}", fix="is the port in use?")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise SweeperError(f"the MLflow server did not respond within {READY_SECONDS:.0f} s")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, 15)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
