"""Write the results of a run: those there are when it starts, and all when it has ended."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sweeper.engine.options import SweepRun
from sweeper.engine.search.opening import forget_search, write_found, write_suggestions
from sweeper.errors import CutShort, SweeperError
from sweeper.planning.graph import Plan
from sweeper.records.extras import forget_measures, write_measures
from sweeper.records.writer import Manifests, forget_results, write_results
from sweeper.store.base import Unreachable


class ResultsWriter:
    """Writes the results of every space of a run that has trials."""

    def __init__(self, run: SweepRun) -> None:
        self._run = run
        self._directory = run.results
        self._searches = {search.plan.space.name: search for search in run.searches}

    def begin(self) -> None:
        """Write the trials, and remove what stands beside those of an earlier run.

        Raises SweeperError where nothing can be written: nothing has run then.
        """
        with self._writable(SweeperError):
            for plan, manifests in self._plans():
                self._write(plan, manifests)
                forget_measures(plan, self._directory)

    def finish(self) -> list[Path]:
        """Write the trials with all that stands beside them, and return the file of each space, in order.

        Raises CutShort where nothing can be written any more.
        """
        paths = []
        with self._writable(CutShort):
            for plan, manifests in self._plans():
                paths.append(self._write(plan, manifests))
                write_measures(plan, self._run.store, manifests, self._directory)
                if plan.space.name in self._searches:
                    write_found(self._directory, plan.space.name)
        return paths

    def _plans(self) -> Iterator[tuple[Plan, Manifests]]:
        """Return the spaces with trials, and the manifests of their stages; the others have no results."""
        for plan in self._run.graph.plans:
            if plan.trials:
                yield plan, self._run.store.manifests(plan.stages)
            else:
                forget_results(plan, self._directory)

    def _write(self, plan: Plan, manifests: Manifests) -> Path:
        path = write_results(plan, self._run.store, manifests, self._directory)
        if search := self._searches.get(plan.space.name):
            write_suggestions(search, manifests, self._directory)
        else:
            forget_search(self._directory, plan.space.name)
        return path

    @contextmanager
    def _writable(self, kind: type[SweeperError]) -> Iterator[None]:
        try:
            yield
        except Unreachable:  # the store, and not the disk
            raise
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else error
            message = f"{self._directory} cannot be written: {why}"
            raise kind(message, fix="free some space, then run the same command again to resume") from None
