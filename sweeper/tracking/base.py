"""The tracker contract, and how trackers are found by the name of ``--tracker``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from sweeper.planning.graph import Plan
from sweeper.store.base import Store
from sweeper.trainable.plugins import load_plugin
from sweeper.trainable.stage import Stage

MLFLOW = "mlflow"
BUILT_IN = {MLFLOW: "sweeper.tracking.tracker:MlflowTracker"}


class Tracker(Protocol):
    """Records the ended trials and stages of one space, in the driver only. Its later failures must not stop the sweep.

    Packages add their own as entry points of the group ``sweeper.trackers``, which name a `TrackerFactory`.
    """

    @property
    def broken(self) -> str | None:
        """Line that says why tracking stopped in the middle of the sweep; None while it works."""

    def ended(self, node: Stage, failure: str | None) -> None:
        """Write a stage of the sweep, in whichever space, whose artifact is in the store or which failed."""

    def write_search(self, results: Path) -> None:
        """Write what a search has found, from the results below ``results``; called once before `close`."""

    def close(self, failed: Mapping[str, str], interrupted: bool) -> None:
        """Write failed trials and what an interrupted driver left out.

        Args:
            failed: cause by key of the last stage of a trial that failed, in whichever space.
            interrupted: whether the user stopped the sweep.
        """


class TrackerFactory(Protocol):
    """Makes the tracker of one space."""

    def __call__(self, plan: Plan, store: Store, runs: Path, uri: str | None) -> Tracker:
        """Return the tracker.

        Args:
            plan: the space's.
            store: where manifests, curves and metrics are read from.
            runs: directory of the results, for what is kept beside them.
            uri: of a server, as the user gave it.

        Raises:
            SweeperError: where it cannot write.
        """


def find_tracker(name: str) -> TrackerFactory:
    """Return the tracker called ``name``. Raises SweeperError for an unknown one."""
    found: TrackerFactory = load_plugin("tracker", name, BUILT_IN)
    return found
