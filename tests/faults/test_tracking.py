"""MLflow goes away: the sweep does not care, and the same command writes what is missing, each run once."""

import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from inline_snapshot import snapshot
from sqlalchemy import event
from sqlalchemy.engine import Engine
from werkzeug.serving import BaseWSGIServer, make_server

from sweeper.tracking.client import MlflowClient
from tests.faults.campaign import GOOD, Campaign, Undisturbed
from tests.masked import masked
from tests.project import SPACE, Project
from tests.tiny.disturbance import FAULT

pytestmark = pytest.mark.faults

FEW = SPACE.replace("[plus, minus]", "[plus]").replace("[1, 2, 3]", "[1, 2]").replace("[0, 1]", "[0]")
STAGES = {"sweep": 1, "trial": 2, "stage": 9}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return Undisturbed.of(tmp_path_factory.mktemp("undisturbed"), text=FEW)


@pytest.fixture
def campaign(tmp_path: Path, undisturbed: Undisturbed, monkeypatch: pytest.MonkeyPatch) -> Campaign:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    return Campaign(
        Project(tmp_path),
        undisturbed,
        (
            "--executor",
            "inline",
        ),
    )


def runs(uri: str) -> dict[str, Counter[str]]:
    """States of MLflow's runs by kind. None stands there twice in the same state."""
    client = MlflowClient(uri)
    found = client.search_runs([each.experiment_id for each in client.search_experiments()], max_results=1000)
    keys = [(run.data.tags.get("sweeper.kind"), run.data.tags["sweeper.key"], run.info.status) for run in found]
    assert len(keys) == len(set(keys))
    return {kind: Counter(state for each, _, state in keys if each == kind) for kind in STAGES}


ALL = {kind: Counter(FINISHED=count) for kind, count in STAGES.items()}


@contextmanager
def at_call(monkeypatch: pytest.MonkeyPatch, name: str, number: int, happen: Callable[[], object]) -> Iterator[None]:
    """Before the call of this number of a method of MLflow's client."""
    method, calls = getattr(MlflowClient, name), iter(range(1, 1000))

    def disturbed(self: MlflowClient, *args: object, **kwargs: object) -> object:
        if next(calls) == number:
            happen()
        return method(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, name, disturbed)
        yield


@pytest.fixture(autouse=True)
def _impatient() -> Iterator[None]:
    """MLflow waits 20 s for a locked database; here a fifth of a second must do."""

    def shorten(connection: object, cursor: object, statement: str, parameters: object, *_: object) -> object:
        return statement.replace("busy_timeout = 20000", "busy_timeout = 200"), parameters

    event.listen(Engine, "before_cursor_execute", shorten, retval=True)
    yield
    event.remove(Engine, "before_cursor_execute", shorten)


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """By another connection."""
    with closing(sqlite3.connect(database, check_same_thread=False)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def server(path: Path) -> Iterator[BaseWSGIServer]:
    """MLflow's own, on a thread."""
    before = dict(os.environ)
    os.environ["_MLFLOW_SERVER_FILE_STORE"] = f"sqlite:///{path}/server.db"
    os.environ["_MLFLOW_SERVER_ARTIFACT_ROOT"] = str(path / "artifacts")
    from mlflow.server import app  # names itself to every client of this process

    os.environ.pop("MLFLOW_TRACKING_URI", None)
    made = make_server("127.0.0.1", 0, app)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.parametrize("method", ["create_run", "log_batch", "set_terminated"])
def test_a_database_that_is_locked_in_the_middle(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    with ExitStack() as stack:
        lock = locked(campaign.runs / "mlflow.db")
        stack.enter_context(at_call(monkeypatch, method, 4, lambda: stack.enter_context(lock)))
        done = campaign.go_on()
    assert done.stderr.splitlines()[-2:] == snapshot(
        [
            "MLflow stopped answering: (sqlite3.OperationalError) database is locked",
            "  run the same command again to write the rest",
        ]
    )
    assert campaign.judge(done) == GOOD
    campaign.remember()
    assert campaign.judge(campaign.go_on()) == GOOD
    assert runs(f"sqlite:///{campaign.runs}/mlflow.db") == ALL


def test_a_database_that_is_locked_from_the_start(campaign: Campaign) -> None:
    assert campaign.judge(campaign.go_on()) == GOOD
    with locked(campaign.runs / "mlflow.db"):
        done = campaign.go_on()
    assert done.returncode == 2
    assert masked(done.error, runs=campaign.runs) == snapshot("""\
error: MLflow at sqlite:///{runs}/mlflow.db cannot be used: (sqlite3.OperationalError) database is locked
  fix: check --tracking-uri, or run with --no-tracking
""")
    assert campaign.judge(campaign.go_on()) == GOOD
    assert runs(f"sqlite:///{campaign.runs}/mlflow.db") == ALL


def test_a_server_that_goes_away_in_the_middle(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    with server(campaign.project.path) as first:
        uri = f"http://127.0.0.1:{first.port}"
        with at_call(monkeypatch, "log_batch", 4, lambda: (first.shutdown(), first.server_close())):
            done = campaign.go_on("--tracking-uri", uri)
    assert done.stderr.splitlines()[-1] == snapshot("  run the same command again to write the rest")
    assert campaign.judge(done) == GOOD
    campaign.remember()
    with server(campaign.project.path) as second:
        uri = f"http://127.0.0.1:{second.port}"
        assert campaign.judge(campaign.go_on("--tracking-uri", uri)) == GOOD
        assert runs(uri) == ALL


def test_what_diverged_is_told_once_however_often_the_command_is_said(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FAULT, "nan plus 1")
    for _ in range(2):
        assert campaign.go_on().returncode == 1
        told = runs(f"sqlite:///{campaign.runs}/mlflow.db")
        assert told["stage"] == Counter(FINISHED=5, FAILED=3)
        assert told["trial"] == Counter(FINISHED=1, FAILED=1)
