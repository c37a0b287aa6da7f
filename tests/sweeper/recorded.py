"""Records of sweeps as a driver writes them."""

import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from sweeper.planning.graph import Graph
from sweeper.records.sweep import Status, SweepRecord, driving, write_status
from sweeper.records.writer import write_results
from sweeper.space.sweep import load_sweep
from sweeper.store.local.directory import Directory
from tests.project import Project

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)


def drive(
    project: Project, name: str = "tiny", spaces: Sequence[str] = ("tiny",), **said: object
) -> AbstractContextManager[None]:
    """Be the driver of a sweep."""
    values = {
        "file": project.path / "space.yaml",
        "sets": (),
        "seeds": None,
        "preset": None,
        "sources": {},
        "tracking_uri": f"sqlite:///{project.path}/runs/mlflow.db",
        "commit": None,
        "began": BEGAN,
        "host": "here",
        "pid": 4711,
    } | said
    record = SweepRecord(name=name, spaces=tuple(spaces), **values)
    return driving(project.path / "runs", record)


def say(project: Project, state: str, name: str = "tiny", **said: object) -> None:
    """What a driver says of how far it is."""
    values = {"updated": BEGAN, "done": 0, "total": 50, "failed": 0, "elapsed": 61.0, "left": None} | said
    write_status(project.path / "runs", name, Status(state=state, **values))


def record(project: Project, state: str = "finished", name: str = "tiny", **said: object) -> None:
    """A sweep whose driver has ended, with ``state`` as its last word; ``said`` of its record and of its status."""
    last = {key: said.pop(key) for key in [*said] if key in Status.model_fields}
    with drive(project, name, **said):
        say(project, state, name, **last)


def store_of(project: Project) -> Directory:
    return Directory(project.path / "runs" / "store")


def graph_of(project: Project, file: str = "space.yaml") -> Graph:
    return Graph.of(load_sweep(project.path / file))


def begin_again(project: Project, lost: int) -> list[str]:
    """Results as at the start of a run, with the last stages of the first ``lost`` trials to be made: their keys."""
    (plan,), store = graph_of(project).plans, store_of(project)
    targets = [target.key for target in plan.targets]
    for key in targets[:lost]:
        shutil.rmtree(store.path(key))
    write_results(plan, Directory(project.path / "nothing"), {}, project.path / "runs" / "results")
    return targets
