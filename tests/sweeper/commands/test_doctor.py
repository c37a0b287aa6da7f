import json
from pathlib import Path

import pytest

from sweeper import examination
from tests.conftest import Project

NAMES = ["Python", "packages", "devices", "store", "disk", "MLflow", "token"]


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def test_a_machine_on_which_all_is_well(project: Project) -> None:
    done = project.sweeper("doctor")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert [line[5:].partition(":")[0] for line in lines if not line.startswith("     ")] == NAMES
    assert f"ok   store: {project.path}/runs/store can be written, locked and read" in lines
    assert f"ok   token: {project.path}/.ray/auth_token is made when Ray is first started" in lines
    assert not list((project.path / "runs" / "store" / "tmp").iterdir())


def test_what_fails_says_how_to_mend_it_and_exits_with_1(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "TORCH", "raise ImportError('no libcudart')")
    token = project.path / ".ray" / "auth_token"
    token.parent.mkdir()
    token.write_text("secret")
    token.chmod(0o644)
    done = project.sweeper("doctor", "--runs", "space.yaml/runs", "--address", "127.0.0.1:9")
    assert done.returncode == 1
    assert (
        f"FAIL store: the store {project.path}/space.yaml/runs/store cannot be written: Not a directory\n"
        "     fix: choose another place with --runs or --store\n"
    ) in done.stdout
    assert (f"FAIL token: {token} can be read by others (mode 0644)\n     fix: chmod 600 {token}\n") in done.stdout
    assert "FAIL devices: torch cannot be imported: ImportError: no libcudart\n" in done.stdout
    assert "FAIL cluster: no Ray cluster answers at 127.0.0.1:9\n     fix: start one with " in done.stdout
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
    assert checks["MLflow"] == {
        "status": "FAIL",
        "name": "MLflow",
        "detail": f"MLflow at sqlite:///{project.path}/runs/mlflow.db cannot be used: "
        "(sqlite3.DatabaseError) file is not a database",
        "fix": "check --tracking-uri, or run with --no-tracking",
    }


def test_a_tracking_server_that_does_not_answer(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "_gpus", list)
    done = project.sweeper("doctor", "--tracking-uri", "http://127.0.0.1:9")
    assert done.returncode == 1
    assert "FAIL MLflow: MLflow at http://127.0.0.1:9 cannot be used: " in done.stdout
