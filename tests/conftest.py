import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import event
from sqlalchemy.engine import Engine

from sweeper.planning.graph import Graph
from sweeper.space.space import Space
from sweeper.space.sweep import load_sweep
from sweeper.store.local.directory import Directory
from tests.project import ROOT, SPACE, Project

# The same examples every time; --hypothesis-profile=explore looks for others.
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("same")
os.environ["PYTHONPATH"] = str(ROOT)  # Ray's workers find the toy trainable


LONG = ("faults", "cluster", "ray", "slow", "browser")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files of long tests, so that no process is left with one of them at the end."""
    long = {item.path for item in items if any(map(item.get_closest_marker, LONG))}
    items.sort(key=lambda item: item.path not in long)


@event.listens_for(Engine, "connect")
def _do_not_wait_for_the_disk(connection: Any, _: object) -> None:
    """MLflow and Optuna commit a few thousand times: no test loses power."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.write(SPACE)
    return made


@pytest.fixture
def store(tmp_path: Path) -> Directory:
    made = Directory(tmp_path / "store")
    made.prepare()
    return made


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Space]:
    """A search space from YAML text."""

    def _load(text: str = SPACE, **overrides: object) -> Space:
        path = tmp_path / "space.yaml"
        path.write_text(text)
        (space,) = load_sweep(path, **overrides).spaces  # type: ignore[arg-type]
        return space

    return _load


@pytest.fixture
def graph(project: Project) -> Graph:
    return Graph.of(load_sweep(project.path / "space.yaml"))
