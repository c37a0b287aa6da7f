import json
import re
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from sweeper.cli.health import probe as examination
from tests.masked import masked
from tests.project import Done, Project

NAMES = ["Python", "packages", "devices", "store", "disk", "MLflow", "token"]


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def said(done: Done, name: str) -> str:
    """What is printed of one check: its line, and those of its fix."""
    (found,) = re.findall(rf"^(?:ok  |FAIL) {name}: .*\n(?:     .*\n)*", done.stdout, re.MULTILINE)
    return str(found)


@pytest.mark.slow
def test_a_machine_on_which_all_is_well(project: Project) -> None:
    done = project.sweeper("doctor")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert [line[5:].partition(":")[0] for line in lines if not line.startswith("     ")] == NAMES
    assert masked(said(done, "store"), project=project.path) == snapshot(
        "ok   store: {project}/runs/store can be written, locked and read\n"
    )
    assert masked(said(done, "token"), project=project.path) == snapshot(
        "ok   token: {project}/.ray/auth_token is made when Ray is first started\n"
    )
    assert not list((project.path / "runs" / "store" / "tmp").iterdir())


def test_what_fails_says_how_to_mend_it_and_exits_with_1(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "TORCH", "raise ImportError('no libcudart')")
    token = project.path / ".ray" / "auth_token"
    token.parent.mkdir()
    token.write_text("secret")
    token.chmod(0o644)
    done = project.sweeper("doctor", "--runs", "space.yaml/runs", "--address", "127.0.0.1:9")
    assert done.returncode == 1
    assert masked(said(done, "store"), project=project.path) == snapshot("""\
FAIL store: the store {project}/space.yaml/runs/store cannot be written: Not a directory
     fix: choose another directory with --runs or --store
""")
    assert masked(said(done, "token"), token=token) == snapshot("""\
FAIL token: {token} can be read by others (mode 0644)
     fix: chmod 600 {token}
""")
    assert said(done, "devices") == snapshot("""\
FAIL devices: torch cannot be imported: ImportError: no libcudart
     fix: install the project there, with the versions of constraints.txt: make run, or pip install
""")
    assert said(done, "cluster") == snapshot("""\
FAIL cluster: no Ray cluster answers at 127.0.0.1:9
     fix: start one with `ray up cluster.yaml`, or leave --address out to use this machine
""")
    assert "secret" not in done.stdout


def test_json_says_the_same(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "_gpus", list)
    (project.path / "runs").mkdir()
    (project.path / "runs" / "mlflow.db").write_text("no database")
    done = project.sweeper("doctor", "--json")
    assert done.returncode == 1
    checks = {each["name"]: each for each in json.loads(done.stdout)}
    assert list(checks) == NAMES
    assert checks["store"]["status"] == "ok"
    assert {**checks["MLflow"], "detail": masked(checks["MLflow"]["detail"], project=project.path)} == snapshot(
        {
            "status": "FAIL",
            "name": "MLflow",
            "detail": "MLflow at sqlite:///{project}/runs/mlflow.db cannot be used: (sqlite3.DatabaseError) file is not a database",
            "fix": "check --tracking-uri, or run with --no-tracking",
        }
    )


def test_a_tracking_server_that_does_not_answer(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "_gpus", list)
    done = project.sweeper("doctor", "--tracking-uri", "http://127.0.0.1:9")
    assert done.returncode == 1
    assert said(done, "MLflow").startswith("FAIL MLflow: ")
    assert "http://127.0.0.1:9" in said(done, "MLflow")
