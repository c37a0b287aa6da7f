"""Run one sweep from its spaces to their results, as ``sweeper run`` does."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime

from rich.console import Console

from sweeper.engine.dispatch import Dispatch
from sweeper.engine.display import Display, say
from sweeper.engine.ending import End, Finished, disk_usage
from sweeper.engine.executors.base import Executor, make_executor
from sweeper.engine.observers import BackgroundObserver, Observer
from sweeper.engine.options import Options, SweepRun
from sweeper.engine.preparation import misfits, prepare, record_of
from sweeper.engine.results import ResultsWriter
from sweeper.engine.search.opening import open_searches, progress_of
from sweeper.errors import ClusterLost, CutShort
from sweeper.planning.graph import Graph
from sweeper.records.sweep import Status, driving, write_status
from sweeper.records.writer import failed_targets
from sweeper.space.sweep import Sweep
from sweeper.store import open_store
from sweeper.store.base import Unreachable
from sweeper.tracking.base import Tracker, TrackerFactory, find_tracker


def run_sweep(sweep: Sweep, options: Options, console: Console) -> Finished:
    """Run what is missing of a sweep and write its results. Say the same again to go on after any interruption.

    Raises SweeperError when it cannot start; nothing has run then. Raises CutShort when there is no room for results.
    """
    executor = make_executor(options.executor, address=options.address, max_concurrent=options.max_concurrent)
    make_tracker = find_tracker(options.tracker) if options.tracker else None
    for space in sweep.spaces:
        space.check()
    graph = Graph.of(sweep)
    store = open_store(options.store)
    store.prepare()
    if note := store.warning():
        say(console, f"  {note}")
    with driving(options.runs, record_of(sweep, options)), _reaching():
        searches = open_searches(graph, store, options.runs, options.optuna_storage, anew=not options.failed_only)
        run = SweepRun(graph, store, searches, options, console)
        prepare(run)
        targets = failed_targets(graph, store) if options.failed_only else None
        writer = ResultsWriter(run)
        writer.begin()
        with _tracking(run, make_tracker) as trackers:
            with BackgroundObserver(trackers) as background:
                end = _execute(run, executor, targets, background)
            results = writer.finish()
            for tracker in trackers:
                tracker.write_search(run.results)
                tracker.close(end.failed, end.state == "interrupted")
        store.remove_leftovers()
        say(console, disk_usage(run))
        return Finished.of(run, end, results, trackers)


@contextmanager
def _reaching() -> Iterator[None]:
    """Turn a store that stopped responding into an early end: it responded at the start, so the input is right."""
    try:
        yield
    except Unreachable as error:
        raise CutShort(error.message, fix="fix that, then run the same command again to resume") from None


@contextmanager
def _tracking(run: SweepRun, make_tracker: TrackerFactory | None) -> Iterator[list[Tracker]]:
    """Open a tracker for every space, and close all that were opened, whatever happens."""
    trackers: list[Tracker] = []
    try:
        if make_tracker:
            for plan in run.graph.plans:
                trackers.append(make_tracker(plan, run.store, run.options.runs, run.options.tracking_uri))
        yield trackers
    except BaseException:
        for tracker in trackers:
            tracker.close({}, interrupted=True)
        raise


def _execute(run: SweepRun, executor: Executor, targets: Collection[str] | None, observer: Observer) -> End:
    """Run what is missing of the targets, and say how it ended."""

    def tell(status: Status) -> None:
        with suppress(OSError):  # other terminals can wait
            write_status(run.options.runs, run.graph.name, status)

    missing = run.graph.missing(run.store, targets)
    if not missing and all(search.is_over for search in run.searches):
        tell(Status(state="finished", updated=datetime.now(UTC), done=0, total=0, failed=0, elapsed=0, left=None))
        return End.of(run, None, "finished")
    display, dispatch = None, None
    try:
        with ExitStack() as stack:
            if executor.announcement:
                say(run.console, f"  {executor.announcement}")
            stack.enter_context(executor)
            for line in misfits(run.graph, missing, executor):
                say(run.console, line)
            show = Display(missing, executor.slots, run.console, tell, lambda: progress_of(run.searches))
            display = stack.enter_context(show)
            dispatch = Dispatch(
                run.graph,
                run.store,
                machine=executor.machine,
                save_seconds=run.options.save_seconds,
                observers=[observer, display],
                targets=targets,
                searches=run.searches,
                parallel=executor.slots,
            )
            executor.run(dispatch)
            end = End.of(run, dispatch)
    except KeyboardInterrupt:
        end = End.of(run, dispatch, "interrupted")
    except ClusterLost as error:
        end = End.of(run, dispatch, "lost", str(error))
    if display:
        say(run.console, f"  {display.summary}")
        tell(display.status(end.state, end.note))
    return end
