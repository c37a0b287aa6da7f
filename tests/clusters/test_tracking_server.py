"""The MLflow server of a cluster, on a machine of its own, which others reach."""

import importlib.util
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clusters.hosts import PATIENCE, Host, Room, lacking, make_keys, wait_for
from tests.project import ROOT

ABSENT = lacking() if importlib.util.find_spec("flask_wtf") else "mlflow[auth] is not installed"
pytestmark = [pytest.mark.cluster, pytest.mark.skipif(ABSENT is not None, reason=str(ABSENT))]
PORT = 5000
ASK = """
import base64, sys, urllib.error, urllib.request
url, password = sys.argv[1:]
request = urllib.request.Request(url, b'{"name": "ours"}', {"Content-Type": "application/json"})
if password: request.add_header("Authorization", "Basic " + base64.b64encode(f"admin:{password}".encode()).decode())
try: print(urllib.request.urlopen(request, timeout=20).status)
except urllib.error.HTTPError as error: print(error.code)
except OSError as error: print("none")
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    room = Room([Path(sys.prefix), Path(sys.base_prefix), ROOT, tmp_path])
    try:
        yield Host(room, "tracking", 10, make_keys(tmp_path / "keys", "A=B"))
    finally:
        room.close()


def test_a_server_that_others_reach_asks_everyone_for_the_password_and_keeps_a_copy_of_its_database(
    host: Host, tmp_path: Path
) -> None:
    directory, copy = tmp_path / "mlflow", tmp_path / "bucket"

    def serve(directory: Path) -> subprocess.Popen[bytes]:
        arguments = [str(directory), str(copy), "--host", host.address, "--port", str(PORT)]
        return subprocess.Popen(host.command(sys.executable, f"{ROOT}/clusters/tracking_server.py", *arguments))

    def answer(password: str = "") -> str:
        url = f"http://{host.address}:{PORT}/api/2.0/mlflow/experiments/create"
        return host.run(sys.executable, "-c", ASK, url, password).stdout.strip()

    server = serve(directory)
    wait_for(lambda: answer() != "none" or server.poll() is not None)
    secret = directory / "password"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert [answer(), answer("wrong"), answer(secret.read_text())] == ["401", "401", "200"]

    (pid,) = host.processes("tracking_server.py")
    os.kill(pid, signal.SIGTERM)
    server.wait(PATIENCE)
    (directory / "mlflow.db").unlink()
    serve(directory)
    wait_for(lambda: (directory / "mlflow.db").exists())
    names = sqlite3.connect(directory / "mlflow.db").execute("SELECT name FROM experiments").fetchall()
    assert ("ours",) in names
