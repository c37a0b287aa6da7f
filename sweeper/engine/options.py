"""Options of a run, and the state that its parts share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from sweeper.planning.graph import Graph
from sweeper.records.layout import RunsDirectory
from sweeper.store.base import Place, Store
from sweeper.tracking.base import MLFLOW

if TYPE_CHECKING:
    from sweeper.engine.search.driver import SearchDriver


@dataclass(frozen=True)
class Options:
    """Options of a run; none of them changes a result."""

    runs: Path
    store: Place
    executor: str = "ray"
    """Name of the executor, see `sweeper.engine.executors.base`."""
    address: str | None = None
    max_concurrent: int | None = None
    save_seconds: float = 20.0
    tracker: str | None = MLFLOW
    """Name of the tracker, see `sweeper.tracking.base`; None for no tracking."""
    tracking_uri: str | None = None
    rerun: Sequence[str] = ()
    """Names of stages whose outdated artifacts are made again."""
    failed_only: bool = False
    """True to run only trials that failed."""
    optuna_storage: str | None = None
    """Address of the database of studies; None for a file in ``runs``."""
    given: Mapping[str, Any] = field(default_factory=dict)
    """The options that the user gave, to be recorded, see `sweeper.records.sweep.SweepRecord.options`."""


@dataclass(frozen=True)
class SweepRun:
    """A sweep with everything that is needed to run it."""

    graph: Graph
    store: Store
    searches: Sequence[SearchDriver]
    """Searches of the searched spaces."""
    options: Options
    console: Console

    @property
    def results(self) -> Path:
        """Directory of the results; every space has a subdirectory of its name."""
        return RunsDirectory(self.options.runs).results
