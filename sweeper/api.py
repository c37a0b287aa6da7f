"""Sweeps from Python: `load`, `plan`, `run` and `read`, as in the commands of these names and ``sweeper table``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeper.errors import SweeperError, nearest
from sweeper.space.sweep import Sweep, load_sweep

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.figure import Figure

    from analysis.formats import Format
    from analysis.results import Results
    from analysis.summary import Summary
    from sweeper.engine.ending import Finished
    from sweeper.planning.forecast import Forecast
    from sweeper.store.base import Place


def load(path: str | Path, *, preset: str | None = None, seeds: str | None = None, sets: Sequence[str] = ()) -> Sweep:
    """Read a sweep. Nothing is written.

    Args:
        path: the YAML file.
        preset: another complete base config than the file's.
        seeds: other seeds than the file's: ``"0-4"`` or ``"0,2,5"``.
        sets: values to fix, such as ``["adapter.lr=1e-3"]``.

    Raises:
        SweeperError: with file, line and column, for whatever is refused.
    """
    return load_sweep(Path(path), sets=sets, seeds=seeds, preset=preset)


def plan(
    sweep: Sweep, *, runs: str | Path = "runs", store: str | None = None, slots: int | None = None
) -> PlannedSweep:
    """Compare a sweep with its store: what its rows share, what is cached, how long the rest takes. Runs nothing.

    Args:
        sweep: from `load`.
        runs: directory of the results and, unless another is named, the store.
        store: where the artifacts lie: a directory, ``s3://BUCKET/PREFIX`` or ``gs://BUCKET/PREFIX``.
        slots: stages at a time in the expected time; one per CPU by default.
    """
    from sweeper.planning.forecast import Forecast
    from sweeper.planning.graph import Graph
    from sweeper.store import open_store

    forecast = Forecast.of(Graph.of(sweep), open_store(_place(runs, store)), slots or os.cpu_count() or 1)
    return PlannedSweep(forecast)


def run(
    sweep: Sweep,
    *,
    runs: str | Path = "runs",
    store: str | None = None,
    executor: str = "ray",
    address: str | None = None,
    max_concurrent: int | None = None,
    tracker: str | None = "mlflow",
    tracking_uri: str | None = None,
) -> Finished:
    """Run what is missing of a sweep and write its results; progress is shown on stderr, in a notebook below the cell.

    Call it again to resume after an interruption. Failed trials do not raise: see the ``failed`` of what is returned.

    Args:
        sweep: from `load`.
        runs: directory of the results, the tracking database and, unless another is named, the store.
        store: where the artifacts lie: a directory, ``s3://BUCKET/PREFIX`` or ``gs://BUCKET/PREFIX``.
        executor: what runs the stages: ``ray``; ``inline`` for this process, one stage after the other, without Ray;
            or the name of an installed one.
        address: Ray cluster to run on, ``auto`` or ``HOST:PORT``; one on this machine by default.
        max_concurrent: stages at a time at most; one per CPU by default.
        tracker: what tracks the sweep: ``mlflow``, or the name of an installed one; None for nothing.
        tracking_uri: MLflow server; a database in ``runs`` by default.

    Raises:
        SweeperError: when it cannot start; nothing has run then.
    """
    from rich.console import Console

    from sweeper.engine.options import Options
    from sweeper.engine.run import run_sweep

    options = Options(
        runs=Path(runs),
        store=_place(runs, store),
        executor=executor,
        address=address,
        max_concurrent=max_concurrent,
        tracker=tracker,
        tracking_uri=tracking_uri,
    )
    return run_sweep(sweep, options, Console(stderr=True))


def read(runs: str | Path, name: str) -> SweepResults:
    """Read the results of a sweep.

    Args:
        runs: the directory that it was run with.
        name: of the sweep, or of one of the search spaces that its file includes.

    Raises:
        SweeperError: where there are none, with the names of those there are.
    """
    from analysis.results import NoTable, read_results
    from sweeper.records.layout import RunsDirectory

    try:
        return SweepResults(read_results(RunsDirectory(Path(runs)).results, name))
    except NoTable as error:
        raise SweeperError(str(error)) from None


@dataclass(frozen=True, repr=False)
class PlannedSweep:
    """A sweep compared with its store; prints as ``sweeper plan`` does."""

    forecast: Forecast

    def as_json(self) -> dict[str, Any]:
        """Return everything that ``sweeper plan --json`` prints."""
        return self.forecast.as_json()

    def __repr__(self) -> str:
        from sweeper.planning.preview import preview

        return preview(self.forecast.as_json(), self.forecast.sharing)


@dataclass(frozen=True)
class SweepResults:
    """Results of a sweep."""

    results: Results
    """Everything on disk, such as ``results.beside("curves")``."""

    @cached_property
    def trials(self) -> pa.Table:
        """A row per trial: label, status, config, facts, metrics, costs and the keys of its stages."""
        return self.results.trials

    @cached_property
    def table(self) -> ResultsTable:
        """The table that the search space asks for."""
        from analysis.results import NoTable
        from analysis.summary import summarise

        try:
            return ResultsTable(summarise(self.results))
        except NoTable as error:
            raise SweeperError(str(error)) from None

    def figure(self, name: str) -> Figure | None:
        """Draw a figure, such as ``cost`` or one that the trainable names; None where the sweep lacks the data.

        Raises:
            SweeperError: for an unknown name, with those there are.
        """
        from analysis.figures import FIGURES
        from analysis.results import NoTable
        from sweeper.records.own_figures import own_figures

        drawings = FIGURES if name in FIGURES else {**own_figures(self.results), **FIGURES}
        if name not in drawings:
            raise SweeperError(f"unknown figure '{name}'", fix=nearest(name, drawings))
        try:
            return drawings[name].draw(self.results)
        except NoTable as error:
            raise SweeperError(str(error)) from None


@dataclass(frozen=True, repr=False)
class ResultsTable:
    """A table of results: text where it is printed, HTML in a notebook."""

    summary: Summary

    def render(self, how: Format = "text", *, statistics: bool = False) -> str:
        """Return the table as text, ``md``, ``latex``, ``html``, ``csv`` or ``json``.

        Args:
            how: the format.
            statistics: whether tables of the differences from the baseline follow.
        """
        from analysis.formats import render

        return render(self.summary, how, statistics=statistics)

    def __repr__(self) -> str:
        return self.render()

    def _repr_html_(self) -> str:
        return self.render("html")


def _place(runs: str | Path, store: str | None) -> Place:
    from sweeper.records.layout import place_of

    return place_of(Path(runs), store, None, "20GiB")
