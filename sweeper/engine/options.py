"""How a sweep is run, and what the parts of one run share."""

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
    """How a sweep is run; nothing here changes a result."""

    runs: Path
    store: Place
    executor: str = "ray"
    """Name of what runs stages, see `sweeper.engine.executors.base`."""
    address: str | None = None
    max_concurrent: int | None = None
    save_seconds: float = 20.0
    tracker: str | None = MLFLOW
    """Name of what tracks the sweep, see `sweeper.tracking.base`; None for nothing."""
    tracking_uri: str | None = None
    rerun: Sequence[str] = ()
    """Names of stages whose outdated artifacts are made again."""
    failed_only: bool = False
    """Whether only the trials that failed are run."""
    optuna_storage: str | None = None
    """Where the studies of searched spaces lie; None for a file in ``runs``."""
    given: Mapping[str, Any] = field(default_factory=dict)
    """What the user gave of these, to be recorded, see `sweeper.records.sweep.SweepRecord.options`."""


@dataclass(frozen=True)
class SweepRun:
    """A sweep with all that running it needs."""

    graph: Graph
    store: Store
    searches: Sequence[SearchDriver]
    """Of the spaces that are searched."""
    options: Options
    console: Console

    @property
    def results(self) -> Path:
        """Directory below which every space has a directory of its name."""
        return RunsDirectory(self.options.runs).results
