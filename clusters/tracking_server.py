"""An MLflow server for a cluster: its database in a directory, artifacts and a copy of the database elsewhere.

    python clusters/tracking_server.py ~/mlflow s3://BUCKET/PREFIX/mlflow

It listens on the loopback interface, and asks for no name there. With --host it can be reached from elsewhere, and
then asks everyone for name and password: ``admin``, and what stands in the file ``password`` of the directory, which
its owner alone can read. Neither is encrypted on the way. A database that is missing at the start is fetched from the
copy.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import click
from pyarrow import ArrowException
from pyarrow.fs import FileSystem, LocalFileSystem, copy_files

AUTH = """\
[mlflow]
default_permission = NO_PERMISSIONS
database_uri = sqlite:///{directory}/users.db
admin_username = admin
"""


@click.command(help=__doc__)
@click.argument("directory", type=click.Path(path_type=Path))
@click.argument("artifacts")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=5000, show_default=True)
@click.option("--copy-seconds", default=600.0, show_default=True, help="How often the database is copied.")
def serve(directory: Path, artifacts: str, host: str, port: int, copy_seconds: float) -> None:
    """Serve until SIGTERM or Ctrl-C; the database is copied once more then."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    directory = directory.expanduser().absolute()
    directory.mkdir(parents=True, exist_ok=True)
    database, copy = directory / "mlflow.db", f"{artifacts}/database/mlflow.db"
    if not database.exists():
        fetch(copy, database)
    command = [
        str(Path(sys.executable).with_name("mlflow")),
        "server",
        "--host",
        host,
        "--port",
        str(port),
        "--workers",
        "1",
        "--backend-store-uri",
        f"sqlite:///{database}",
        "--artifacts-destination",
        f"{artifacts}/artifacts",
    ]
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"}
    if not is_loopback(host):
        command += ["--app-name", "basic-auth"]
        environment |= with_password(directory)
    server = subprocess.Popen(command, env=environment)  # noqa: S603
    try:
        while server.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(copy_seconds)
            put(database, copy)
    except KeyboardInterrupt:
        server.terminate()
        server.wait()
        put(database, copy)
    sys.exit(server.returncode)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server there."""
    return all(ipaddress.ip_address(found[4][0]).is_loopback for found in socket.getaddrinfo(host, None))


def with_password(directory: Path) -> dict[str, str]:
    """What tells MLflow to ask everyone for name and password. The password is made at the first start."""
    password = directory / "password"
    if not password.exists():
        with open(os.open(password, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:  # noqa: PTH123
            file.write(secrets.token_urlsafe(24))
    (directory / "auth.ini").write_text(AUTH.format(directory=directory))
    return {
        "MLFLOW_AUTH_CONFIG_PATH": str(directory / "auth.ini"),
        "MLFLOW_AUTH_ADMIN_PASSWORD": password.read_text(),
        "MLFLOW_FLASK_SERVER_SECRET_KEY": secrets.token_urlsafe(24),
    }


def put(database: Path, copy: str) -> None:
    """Copy the database as it is at one moment. Where that fails, it is said, and the next time does it."""
    try:
        with tempfile.NamedTemporaryFile() as moment:
            source, target = sqlite3.connect(database), sqlite3.connect(moment.name)
            source.backup(target)
            target.close()
            source.close()
            elsewhere, path = FileSystem.from_uri(copy)
            elsewhere.create_dir(path.rpartition("/")[0])
            copy_files(moment.name, path, LocalFileSystem(), elsewhere)
    except (OSError, ArrowException, sqlite3.Error) as error:
        click.echo(f"{database} is not copied to {copy}: {error}", err=True)


def fetch(copy: str, database: Path) -> None:
    """Fetch the copy, where there is one."""
    elsewhere, path = FileSystem.from_uri(copy)
    with contextlib.suppress(FileNotFoundError):
        aside = database.with_suffix(".fetched")
        copy_files(path, str(aside), elsewhere, LocalFileSystem())
        aside.rename(database)


if __name__ == "__main__":
    serve()
