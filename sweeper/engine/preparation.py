"""Prepare a run: write its record, discard outdated artifacts, check that its stages fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from sweeper.engine.display import say
from sweeper.engine.executors.base import Executor
from sweeper.engine.options import Options, SweepRun
from sweeper.engine.search.opening import progress_of
from sweeper.errors import SweeperError
from sweeper.planning.counts import headline, summarise
from sweeper.planning.graph import Graph
from sweeper.planning.rerun import discard_outdated
from sweeper.records.layout import RunsDirectory
from sweeper.records.passwords import has_password, without_password
from sweeper.records.sweep import SweepRecord, here
from sweeper.space.sweep import Sweep
from sweeper.tracking.base import MLFLOW
from sweeper.trainable.provenance import repository
from sweeper.trainable.stage import Stage


def record_of(sweep: Sweep, options: Options) -> SweepRecord:
    """Return the record of the sweep as it is begun now."""
    asked, (host, pid), there = sweep.asked, here(), RunsDirectory(options.runs)
    tracked_at = without_password(options.tracking_uri or there.tracking_uri)
    return SweepRecord(
        name=sweep.name,
        spaces=tuple(space.name for space in sweep.spaces),
        file=asked.file.absolute(),
        sets=tuple(asked.sets),
        seeds=asked.seeds,
        preset=asked.preset,
        options=dict(options.given),
        sources={str(path.absolute()): path.read_text() for path in sweep.files},
        tracking_uri=tracked_at if options.tracker == MLFLOW else None,
        store=None if options.store == there.place else options.store,
        optuna_storage=None if has_password(options.optuna_storage) else options.optuna_storage,
        is_searched=any(space.searched for space in sweep.spaces),
        commit=repository(sweep.spaces[0].trainable.module).commit,
        began=datetime.now(UTC),
        host=host,
        pid=pid,
    )


def prepare(run: SweepRun) -> None:
    """Quarantine damaged and outdated results, so that they are made again; inputs are checked when they are used."""
    graph, store, console = run.graph, run.store, run.console
    store.remove_leftovers()
    store.check(target.key for target in graph.targets)
    if run.options.rerun:
        say(console, discard_outdated(graph, store, run.options.rerun))
    say(console, headline(summarise(graph, store)))
    if (told := progress_of(run.searches)) and told[1]:
        say(console, f"  {told[0]} so far")


def misfits(graph: Graph, missing: Mapping[str, Stage], executor: Executor) -> Iterator[str]:
    """Yield a line for every kind of stage that fits on no node yet.

    Raises:
        SweeperError: for one that fits on none, where no larger node can join later.
    """
    asked = {(node.function.label, graph.resources(node)) for node in missing.values()}
    asked |= {(node.function.label, plan.resources(node)) for plan in graph.plans for node in plan.starts.values()}
    for label, wanted in sorted({(label, executor.machine.granted(request)) for label, request in asked}):
        if not executor.nodes or any(wanted.fits(node) for node in executor.nodes):
            continue
        message = f"stage {label} asks for {wanted}, and the largest node has {max(executor.nodes)}"
        if not executor.can_grow:
            raise SweeperError(message, fix=f"request less in the search space: resources: {{{label}: {{...}}}}")
        yield f"  {message}; it waits until a larger one joins"
