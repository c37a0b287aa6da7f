"""One sweep from its space to its results: what ``sweeper run`` does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from sweeper.dispatch import Dispatch, Observer
from sweeper.plan import Plan, headline
from sweeper.progress import Display
from sweeper.results import write_results
from sweeper.space import Space
from sweeper.store import Damaged, Store

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

    results: Path
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


def run_sweep(space: Space, options: Options, console: Console) -> Finished:
    """Run what is missing of a sweep and write its results. Say the same again to go on after any interruption.

    Raises SweeperError when it cannot start; nothing has run then.
    """
    space.check()
    plan = Plan.of(space)
    store = Store(options.runs / "store")
    store.prepare()
    store.remove_leftovers()
    _check_results(plan, store)
    summary = plan.summary(store)
    console.print(headline(summary), highlight=False, markup=False, soft_wrap=True)
    tracker = _tracker(plan, store, options) if options.tracking else None
    observers: list[Observer] = [tracker] if tracker else []
    failed: Mapping[str, str] = {}
    traces: Mapping[str, str] = {}
    interrupted = False
    if summary["to_run"]:
        try:
            with _engine(options, console) as engine:
                dispatch, interrupted = _run(engine, plan, store, options, observers, console)
                failed, traces = dispatch.schedule.failed, dispatch.traces
        except KeyboardInterrupt:
            interrupted = True
        except BaseException:
            if tracker:
                tracker.close({}, interrupted=True)
            raise
    store.remove_leftovers()
    if tracker:
        tracker.close(failed, interrupted)
    results = write_results(plan, store, failed, options.runs / "results")
    named = {f"{plan.stages[key].function.label} {key[:12]}": trace for key, trace in traces.items()}
    lost = sum(target.key in failed for target in plan.targets)
    return Finished(results, interrupted, lost, named, tracker.broken if tracker else None)


def _check_results(plan: Plan, store: Store) -> None:
    """Set damaged results aside now, so that they are made again; other artifacts are checked when they are used."""
    for target in plan.targets:
        if store.has(target.key):
            with suppress(Damaged):
                store.open(target.key)


@contextmanager
def _engine(options: Options, console: Console) -> Iterator[Engine]:
    if options.inline:
        from sweeper.inline import inline_device, run_inline

        yield Engine(run_inline, inline_device(), 1)
        return
    console.print(f"  starting Ray{' on this machine' if options.address is None else f' at {options.address}'}")
    from sweeper.execute import cluster, cluster_device, cluster_slots, run_on_ray

    with cluster(options.address):
        slots = options.max_concurrent or cluster_slots()
        yield Engine(partial(run_on_ray, slots=slots), cluster_device(), slots)


def _run(
    engine: Engine, plan: Plan, store: Store, options: Options, observers: list[Observer], console: Console
) -> tuple[Dispatch, bool]:
    with Display(plan.missing(store), engine.slots, console) as display:
        dispatch = Dispatch(
            plan, store, device=engine.device, save_seconds=options.save_seconds, observers=[*observers, display]
        )
        try:
            engine.run(dispatch)
        except KeyboardInterrupt:
            return dispatch, True
    console.print(f"  {display.summary}", highlight=False)
    return dispatch, False


def _tracker(plan: Plan, store: Store, options: Options) -> Tracker:
    from sweeper.tracking import Tracker, embedded_uri

    uri = options.tracking_uri or embedded_uri(options.runs)
    return Tracker(plan, store, uri, None if options.tracking_uri else options.runs / "mlartifacts")
