"""The MLflow UI on the embedded database, on the loopback interface."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import click

from sweeper.errors import SweeperError

READY_SECONDS = 60.0


def database_of(runs: Path) -> Path:
    """The embedded tracking database."""
    return runs / "mlflow.db"


def database_uri(runs: Path) -> str:
    """The tracking URI of the embedded database."""
    return f"sqlite:///{database_of(runs).absolute()}"


def is_served(runs: Path, uri: str) -> bool:
    """Whether the tracking URI is the embedded database, which `serve` shows."""
    return uri == database_uri(runs)


def serve(runs: Path, port: int | None) -> None:
    """Start the server, say where it answers, and stop it at Ctrl-C. Raises SweeperError."""
    database = database_of(runs)
    if not database.exists():
        raise SweeperError(f"{database} does not exist", fix="run a sweep first, or name its directory with --runs")
    for stop in (signal.SIGINT, signal.SIGTERM):  # also where a script's background job inherits SIGINT as ignored
        signal.signal(stop, signal.default_int_handler)
    port = port or _free_port()
    server = Path(sys.executable).with_name("mlflow")
    command = [
        str(server) if server.exists() else shutil.which("mlflow") or "mlflow", "server",
        "--backend-store-uri", f"sqlite:///{database.absolute()}",
        "--artifacts-destination", (runs / "mlartifacts").absolute().as_uri(),
        "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
    ]  # fmt: skip
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"}
    process = subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment, start_new_session=True
    )
    try:
        _wait(process, port)
        click.echo(f"MLflow UI: http://127.0.0.1:{port}  (Ctrl-C stops it)")
        process.wait()
    except KeyboardInterrupt:
        click.echo("stopped")
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
    raise SweeperError(f"the MLflow server did not answer within {READY_SECONDS:.0f} s")


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
