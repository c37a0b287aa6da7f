"""One sweep from its spaces to their results: what ``sweeper run`` does."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.filesize import decimal

from sweeper.engine.dispatch import Dispatch, Machine, Observer
from sweeper.engine.display import Display
from sweeper.engine.observers import Aside
from sweeper.engine.search.opening import (
    forget_search,
    has_password,
    open_searches,
    progress_of,
    write_found,
    write_suggestions,
)
from sweeper.errors import ClusterLost, CutShort, SweeperError
from sweeper.planning.counts import headline, summarise
from sweeper.planning.graph import Graph, Plan
from sweeper.planning.rerun import discard_outdated
from sweeper.records.extras import forget_measures, write_measures
from sweeper.records.layout import database_uri, place_in
from sweeper.records.sweep import State, Status, SweepRecord, driving, here, write_status
from sweeper.records.writer import failed_targets, forget_results, write_results
from sweeper.space.sweep import Sweep
from sweeper.store import open_store
from sweeper.store.base import Place, Store, Unreachable
from sweeper.trainable.provenance import repository
from sweeper.trainable.resources import Resources
from sweeper.trainable.stage import Stage

if TYPE_CHECKING:
    from sweeper.engine.search.driver import Suggesting
    from sweeper.tracking.tracker import Tracker


@dataclass(frozen=True)
class Options:
    """How a sweep is run; nothing here changes a result."""

    runs: Path
    store: Place
    inline: bool = False
    address: str | None = None
    max_concurrent: int | None = None
    save_seconds: float = 20.0
    tracking: bool = True
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
class Finished:
    """Where a sweep's results lie, and what went wrong."""

    results: Sequence[Path]
    """Of every space, in order."""
    state: State
    trials: int
    """How many there are."""
    failed: int
    """Number of failed trials; their causes stand in the results."""
    diverged: int
    """Number of those among them that the same command does not try again."""
    traces: Mapping[str, str]
    """Traceback by name of the failed stage."""
    note: str | None
    """Why it ended early."""
    broken_tracking: str | None


@dataclass(frozen=True)
class Engine:
    """What runs stages: how, on what, and how many at a time."""

    run: Callable[[Dispatch], None]
    machine: Machine
    slots: int
    nodes: Sequence[Resources]
    """What each node has, where a stage must fit on one."""


@dataclass(frozen=True)
class _End:
    state: State
    note: str | None = None
    dispatch: Dispatch | None = None


def run_sweep(sweep: Sweep, options: Options, console: Console) -> Finished:
    """Run what is missing of a sweep and write its results. Say the same again to go on after any interruption.

    Raises SweeperError when it cannot start; nothing has run then. Raises CutShort when there is no room for results.
    """
    for space in sweep.spaces:
        space.check()
    graph = Graph.of(sweep)
    store = open_store(options.store)
    store.prepare()
    if note := store.note():
        _say(console, f"  {note}")
    with driving(options.runs, _record(sweep, options)), _reaching():
        searches = open_searches(graph, store, options.runs, options.optuna_storage, anew=not options.failed_only)
        _prepare(graph, store, searches, options, console)
        targets = failed_targets(graph, store) if options.failed_only else None
        _write_all(graph, store, searches, options, SweeperError, ended=False)
        with _tracking(graph, store, options) as trackers:
            with Aside(trackers) as aside:
                end = _run(graph, store, options, targets, searches, [aside], console)
            failed = _failed(graph, searches, end.dispatch)
            results = _write_all(graph, store, searches, options, CutShort, ended=True)
            for tracker in trackers:
                tracker.write_search(options.runs / "results")
                tracker.close(failed, end.state == "interrupted")
        store.remove_leftovers()
        _say(console, _disk(graph, store))
        unmendable = {key for key, failure in store.failures.all().items() if failure.kind == "diverged"}
        return Finished(
            results=results,
            state=end.state,
            trials=sum(len(plan.trials) for plan in graph.plans),
            failed=sum(target.key in failed for target in graph.targets),
            diverged=sum(
                target.key in failed and not unmendable.isdisjoint(stages)
                for plan in graph.plans
                for target, stages in zip(plan.targets, plan.per_trial, strict=True)
            ),
            traces=_named(graph, end.dispatch.traces if end.dispatch else {}),
            note=end.note,
            broken_tracking=next((tracker.broken for tracker in trackers if tracker.broken), None),
        )


@contextmanager
def _reaching() -> Iterator[None]:
    """The store was reached when the run began: that it is no longer is no fault of the user's input."""
    try:
        yield
    except Unreachable as error:
        raise CutShort(error.message, fix="fix that, then run the same command again to resume") from None


def _record(sweep: Sweep, options: Options) -> SweepRecord:
    asked, (host, pid) = sweep.asked, here()
    tracking = options.tracking_uri or database_uri(options.runs) if options.tracking else None
    return SweepRecord(
        name=sweep.name, spaces=tuple(space.name for space in sweep.spaces), file=asked.file.absolute(),
        sets=tuple(asked.sets), seeds=asked.seeds, preset=asked.preset, options=dict(options.given),
        sources={str(path.absolute()): path.read_text() for path in sweep.files}, tracking_uri=tracking,
        store=None if options.store == place_in(options.runs) else options.store,
        optuna_storage=None if has_password(options.optuna_storage) else options.optuna_storage,
        is_searched=any(space.searched for space in sweep.spaces),
        commit=repository(sweep.spaces[0].trainable.module).commit, began=datetime.now(UTC), host=host, pid=pid,
    )  # fmt: skip


def _prepare(
    graph: Graph, store: Store, searches: Sequence[Suggesting], options: Options, console: Console
) -> None:
    """Set damaged and outdated results aside, so that they are made again; inputs are checked when they are used."""
    store.remove_leftovers()
    store.check(target.key for target in graph.targets)
    if options.rerun:
        _say(console, discard_outdated(graph, store, options.rerun))
    _say(console, headline(summarise(graph, store)))
    if (told := progress_of(searches)) and told[1]:
        _say(console, f"  {told[0]} so far")


def _disk(graph: Graph, store: Store) -> str:
    manifests = store.manifests(graph.stages).values()
    used = sum(entry["size"] for manifest in manifests for entry in manifest["files"].values())
    unfinished = decimal(sum(each.bytes for each in store.entries("progress")))
    return f"  disk: {decimal(used)} for its {len(manifests):,} artifacts, {unfinished} for unfinished stages"


def _write_all(
    graph: Graph,
    store: Store,
    searches: Sequence[Suggesting],
    options: Options,
    kind: type[SweeperError],
    *,
    ended: bool,
) -> list[Path]:
    """Write the results of every space that has trials; at the end also what stands beside the trials."""
    directory, paths = options.runs / "results", []
    of_plan = {id(search.plan): search for search in searches}
    try:
        for plan in graph.plans:
            if not plan.trials:
                forget_results(plan, directory)
                continue
            manifests = store.manifests(plan.stages)
            paths.append(write_results(plan, store, manifests, directory))
            search = of_plan.get(id(plan))
            if search:
                write_suggestions(search, manifests, directory)
            else:
                forget_search(directory, plan.space.name)
            if ended:
                write_measures(plan, store, manifests, directory)
                if search:
                    write_found(directory, plan.space.name)
            else:
                forget_measures(plan, directory)
        return paths
    except Unreachable:  # the store, and not the disk
        raise
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else error
        message = f"{options.runs / 'results'} cannot be written: {why}"
        raise kind(message, fix="free some space, then run the same command again to resume") from None


@contextmanager
def _tracking(graph: Graph, store: Store, options: Options) -> Iterator[list[Tracker]]:
    """A tracker for every space. Those that were begun are closed, whatever happens."""
    trackers: list[Tracker] = []
    try:
        for plan in graph.plans if options.tracking else ():
            trackers.append(_tracker(plan, store, options))
        yield trackers
    except BaseException:
        for tracker in trackers:
            tracker.close({}, interrupted=True)
        raise


def _run(
    graph: Graph,
    store: Store,
    options: Options,
    targets: Collection[str] | None,
    searches: Sequence[Suggesting],
    observers: Sequence[Observer],
    console: Console,
) -> _End:
    """Run what is missing of the targets, and say how it ended."""

    def tell(status: Status) -> None:
        with suppress(OSError):  # other terminals can wait
            write_status(options.runs, graph.name, status)

    missing = graph.missing(store, targets)
    if not missing and all(search.is_over for search in searches):
        tell(Status(state="finished", updated=datetime.now(UTC), done=0, total=0, failed=0, elapsed=0, left=None))
        return _End("finished")
    display, dispatch = None, None
    end = _End("interrupted")
    try:
        with ExitStack() as stack:
            engine = stack.enter_context(_engine(options, console))
            _check_requests(graph, missing, engine, options, console)
            display = stack.enter_context(Display(missing, engine.slots, console, tell, lambda: progress_of(searches)))
            dispatch = Dispatch(
                graph, store, machine=engine.machine, save_seconds=options.save_seconds,
                observers=[*observers, display], targets=targets, searches=searches, parallel=engine.slots,
            )  # fmt: skip
            engine.run(dispatch)
            failed = _failed(graph, searches, dispatch)
            state: State = "lost" if dispatch.halted else "failed" if failed else "finished"
            end = _End(state, dispatch.halted, dispatch)
    except KeyboardInterrupt:
        end = _End("interrupted", None, dispatch)
    except ClusterLost as error:
        end = _End("lost", str(error), dispatch)
    if display:
        _say(console, f"  {display.summary}")
        tell(display.status(end.state, end.note))
    return end


def _failed(graph: Graph, searches: Sequence[Suggesting], dispatch: Dispatch | None) -> dict[str, str]:
    """Causes by key of the last stages of trials that failed; what a search stopped has not in its own space."""
    found = {key: cause for search in searches for key, cause in search.failed.items()}
    failed = dispatch.schedule.failed if dispatch else {}
    for plan in graph.plans:
        ended = failed.keys() - plan.pruned.keys()
        found |= {target.key: failed[target.key] for target in plan.targets if target.key in ended}
    return found


@contextmanager
def _engine(options: Options, console: Console) -> Iterator[Engine]:
    if options.inline:
        from sweeper.engine.executors.inline import run_inline, this_process

        yield Engine(run_inline, this_process(), 1, [])
        return
    _say(console, f"  starting Ray{' on this machine' if options.address is None else f' at {options.address}'}")
    from sweeper.engine.executors.ray.cluster import cluster
    from sweeper.engine.executors.ray.nodes import machine, node_resources
    from sweeper.engine.executors.ray.tune import run_on_ray

    with cluster(options.address):
        there = machine()
        slots = options.max_concurrent or max(1, there.capacity().cpus)
        yield Engine(partial(run_on_ray, slots=slots), there, slots, node_resources())


def _check_requests(
    graph: Graph, missing: Mapping[str, Stage], engine: Engine, options: Options, console: Console
) -> None:
    """Every stage must fit on one node. On a cluster one that is large enough may join later."""
    asked = {(node.function.label, graph.resources(node)) for node in missing.values()}
    asked |= {(node.function.label, plan.resources(node)) for plan in graph.plans for node in plan.starts.values()}
    for label, wanted in sorted({(label, engine.machine.granted(request)) for label, request in asked}):
        if not engine.nodes or any(wanted.fits(node) for node in engine.nodes):
            continue
        message = f"stage {label} asks for {wanted}, and the largest node has {max(engine.nodes)}"
        if options.address is None:
            raise SweeperError(message, fix=f"request less in the search space: resources: {{{label}: {{...}}}}")
        _say(console, f"  {message}; it waits until a larger one joins")


def _tracker(plan: Plan, store: Store, options: Options) -> Tracker:
    from sweeper.tracking.tracker import Tracker

    uri = options.tracking_uri or database_uri(options.runs)
    return Tracker(plan, store, uri, None if options.tracking_uri else options.runs / "mlartifacts")


def _named(graph: Graph, traces: Mapping[str, str]) -> dict[str, str]:
    return {f"{graph.stages[key].function.label} {key[:12]}": trace for key, trace in traces.items()}


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)
