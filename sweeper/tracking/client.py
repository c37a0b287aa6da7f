"""Read and write MLflow: an experiment per space, in a database or on a server, and the runs in it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

from mlflow import MlflowClient
from mlflow.entities import Experiment, Run
from mlflow.store.db.db_types import DATABASE_ENGINES
from sqlalchemy import create_engine, inspect

from sweeper.errors import SweeperError, first_line
from sweeper.records.passwords import without_password

KIND, KEY, CAUSE, STORE, FILES = (f"sweeper.{name}" for name in ("kind", "key", "cause", "store", "files"))
"""Tags of a run: sweep, trial or stage; which one; why it failed; who wrote it; the names of its artifacts."""
PAGE = 5000
"""Runs or experiments per request."""


def connect(uri: str) -> MlflowClient:
    """Create a quiet MLflow client; does not connect yet."""
    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return MlflowClient(uri)


def knock(uri: str, fix: str = "check --tracking-uri, or run with --no-tracking") -> None:
    """Check that a tracking server or database responds within seconds. Raises SweeperError."""
    before = dict(os.environ)
    os.environ |= {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}
    try:
        _open(uri)
        connect(uri).search_experiments(max_results=1)
    except Exception as error:
        message = without_password(f"MLflow at {uri} cannot be used: {first_line(error)}")
        raise SweeperError(message, fix=fix) from None
    finally:
        os.environ.clear()
        os.environ.update(before)


def _open(uri: str) -> None:
    """Open a database once: MLflow itself tries again for a minute and a half. Raises SQLAlchemyError."""
    if uri.partition("://")[0].partition("+")[0] in DATABASE_ENGINES:
        engine = create_engine(uri)
        try:
            inspect(engine).get_table_names()
        finally:
            engine.dispose()


def has_experiment(uri: str, name: str) -> bool:
    """Check whether a database has an experiment that is not deleted. Raises MlflowException."""
    return living(connect(uri), name) is not None


def delete_experiment(uri: str, name: str) -> None:
    """Mark an experiment as deleted, with its runs; nothing where there is none. Raises MlflowException."""
    client = connect(uri)
    if found := living(client, name):
        client.delete_experiment(found.experiment_id)


def living(client: MlflowClient, name: str) -> Experiment | None:
    """Return the experiment of this name that is not deleted."""
    found = client.get_experiment_by_name(name)
    return found if found and found.lifecycle_stage == "active" else None


def runs_of(client: MlflowClient, experiments: Sequence[str], kind: str) -> Iterator[Run]:
    """Yield the sweeps', trials' or stages' runs in experiments of these ids, newest first."""
    token = None
    while True:
        page = client.search_runs(experiments, f"tags.`{KIND}` = '{kind}'", max_results=PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def sweeps(client: MlflowClient) -> dict[str, Run]:
    """Return the sweep's run of every experiment that has one, by the experiment's name."""
    experiments: dict[str, str] = {}
    token = None
    while True:
        page = client.search_experiments(max_results=1000, page_token=token)
        experiments |= {each.experiment_id: each.name for each in page}
        token = page.token
        if not token:
            break
    ids = list(experiments)
    parts = [ids[first : first + 100] for first in range(0, len(ids), 100)]
    found = {experiments[run.info.experiment_id]: run for part in parts for run in runs_of(client, part, "sweep")}
    return dict(sorted(found.items()))


def trial_key(target: str, label: str) -> str:
    """Return the identity of a trial's run: the key of its last stage and the trial's label."""
    return f"{target}:{label}"
