"""One sweep from its spaces to their results: what ``sweeper run`` does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from sweeper.dispatch import Dispatch, Observer
from sweeper.plan import Graph, Plan
from sweeper.progress import Display
from sweeper.results import write_results
from sweeper.store import Damaged, Store
from sweeper.summary import headline, summarise
from sweeper.sweep import Sweep

if TYPE_CHECKING:
    from sweeper.tracking import Tracker


@dataclass(frozen=True)
class Options:
    """How a sweep is run; nothing here changes a result."""

    runs: Path
    inline: bool = False
    address: str | None = None
    max_concurrent: int | None = None
    save_seconds: float = 20.0
    tracking: bool = True
    tracking_uri: str | None = None


@dataclass(frozen=True)
class Finished:
    """Where a sweep's results lie, and what went wrong."""

    results: Sequence[Path]
    """Of every space, in order."""
    interrupted: bool
    failed: int
    """Number of failed trials; their causes stand in the results."""
    traces: Mapping[str, str]
    """Traceback by name of the failed stage."""
    broken_tracking: str | None


@dataclass(frozen=True)
class Engine:
    """What runs stages: how, on which torch device, and how many at a time."""

    run: Callable[[Dispatch], None]
    device: str
    slots: int


def run_sweep(sweep: Sweep, options: Options, console: Console) -> Finished:
    """Run what is missing of a sweep and write its results. Say the same again to go on after any interruption.

    Raises SweeperError when it cannot start; nothing has run then.
    """
    for space in sweep.spaces:
        space.check()
    graph = Graph.of(sweep)
    store = _prepared(graph, options)
    console.print(headline(summarise(graph, store)), highlight=False, markup=False, soft_wrap=True)
    trackers: list[Tracker] = []
    try:
        if options.tracking:
            for plan in graph.plans:
                trackers.append(_tracker(plan, store, options))
        dispatch, interrupted = _run(graph, store, options, trackers, console)
    except BaseException:
        for tracker in trackers:
            tracker.close({}, interrupted=True)
        raise
    store.remove_leftovers()
    failed: Mapping[str, str] = dispatch.schedule.failed if dispatch else {}
    for tracker in trackers:
        tracker.close(failed, interrupted)
    return Finished(
        results=[write_results(plan, store, failed, options.runs / "results") for plan in graph.plans],
        interrupted=interrupted,
        failed=sum(target.key in failed for target in graph.targets),
        traces=_named(graph, dispatch.traces if dispatch else {}),
        broken_tracking=next((tracker.broken for tracker in trackers if tracker.broken), None),
    )


def _prepared(graph: Graph, options: Options) -> Store:
    """The store, with damaged results set aside, so that they are made again; inputs are checked when they are used."""
    store = Store(options.runs / "store")
    store.prepare()
    store.remove_leftovers()
    for target in graph.targets:
        if store.has(target.key):
            with suppress(Damaged):
                store.open(target.key)
    return store


def _run(
    graph: Graph, store: Store, options: Options, observers: Sequence[Observer], console: Console
) -> tuple[Dispatch | None, bool]:
    """Run what is missing: how far it came, if it began, and whether the user interrupted it."""
    missing = graph.missing(store)
    dispatch = None
    if not missing:
        return dispatch, False
    try:
        with _engine(options, console) as engine:
            with Display(missing, engine.slots, console) as display:
                dispatch = Dispatch(
                    graph, store, device=engine.device, save_seconds=options.save_seconds,
                    observers=[*observers, display],
                )  # fmt: skip
                engine.run(dispatch)
            console.print(f"  {display.summary}", highlight=False)
    except KeyboardInterrupt:
        return dispatch, True
    return dispatch, False


@contextmanager
def _engine(options: Options, console: Console) -> Iterator[Engine]:
    if options.inline:
        from sweeper.inline import inline_device, run_inline

        yield Engine(run_inline, inline_device(), 1)
        return
    console.print(f"  starting Ray{' on this machine' if options.address is None else f' at {options.address}'}")
    from sweeper.cluster import cluster, cluster_device, cluster_slots
    from sweeper.execute import run_on_ray

    with cluster(options.address):
        slots = options.max_concurrent or cluster_slots()
        yield Engine(partial(run_on_ray, slots=slots), cluster_device(), slots)


def _tracker(plan: Plan, store: Store, options: Options) -> Tracker:
    from sweeper.tracking import Tracker, embedded_uri

    uri = options.tracking_uri or embedded_uri(options.runs)
    return Tracker(plan, store, uri, None if options.tracking_uri else options.runs / "mlartifacts")


def _named(graph: Graph, traces: Mapping[str, str]) -> dict[str, str]:
    return {f"{graph.stages[key].function.label} {key[:12]}": trace for key, trace in traces.items()}
