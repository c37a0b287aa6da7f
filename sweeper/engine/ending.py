"""The end of a run: which trials failed and why, and how much disk space it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.filesize import decimal

from sweeper.engine.dispatch import Dispatch
from sweeper.engine.options import SweepRun
from sweeper.records.sweep import State
from sweeper.tracking.base import Tracker


@dataclass(frozen=True)
class End:
    """The end of an execution."""

    state: State
    note: str | None
    """Reason for an early end."""
    failed: Mapping[str, str]
    """Causes by key of the last stages of trials that failed."""
    traces: Mapping[str, str]
    """Traceback by key of the failed stage."""

    @classmethod
    def of(cls, run: SweepRun, dispatch: Dispatch | None, state: State | None = None, note: str | None = None) -> End:
        """Return the end of a run.

        Args:
            run: the run.
            dispatch: its stages; None where it did not come to execute any.
            state: of one that was cut short; else told by what failed.
            note: why it was cut short.
        """
        failed = _failed(run, dispatch)
        halted = dispatch.halted if dispatch and state is None else None
        by_itself: State = "lost" if halted else "failed" if failed else "finished"
        return cls(state or by_itself, note or halted, failed, dispatch.traces if dispatch else {})


@dataclass(frozen=True)
class Finished:
    """Paths of a sweep's results, and its failures."""

    results: Sequence[Path]
    """Path of the results of every space, in order."""
    state: State
    trials: int
    """Number of trials."""
    failed: int
    """Number of failed trials; their causes are in the results."""
    diverged: int
    """Number of failed trials that the same command does not try again."""
    traces: Mapping[str, str]
    """Traceback by name of the failed stage."""
    note: str | None
    """Reason for an early end."""
    broken_tracking: str | None
    """Reason why tracking stopped early."""

    @classmethod
    def of(cls, run: SweepRun, end: End, results: Sequence[Path], trackers: Sequence[Tracker]) -> Finished:
        """Return what a run comes to whose results are written and whose trackers are closed."""
        stages = run.graph.stages
        return cls(
            results=results,
            state=end.state,
            trials=sum(len(plan.trials) for plan in run.graph.plans),
            failed=sum(target.key in end.failed for target in run.graph.targets),
            diverged=_diverged(run, end.failed),
            traces={f"{stages[key].function.label} {key[:12]}": trace for key, trace in end.traces.items()},
            note=end.note,
            broken_tracking=next((tracker.broken for tracker in trackers if tracker.broken), None),
        )


def disk_usage(run: SweepRun) -> str:
    """Return a line on what the artifacts of the sweep take."""
    manifests = run.store.manifests(run.graph.stages).values()
    used = sum(entry["size"] for manifest in manifests for entry in manifest["files"].values())
    unfinished = decimal(sum(each.bytes for each in run.store.entries("progress")))
    return f"  disk: {decimal(used)} for its {len(manifests):,} artifacts, {unfinished} for unfinished stages"


def _failed(run: SweepRun, dispatch: Dispatch | None) -> dict[str, str]:
    """Return causes by key of the last stages of failed trials, without those that a search stopped in its space."""
    found = {key: cause for search in run.searches for key, cause in search.failed.items()}
    failed = dispatch.schedule.failed if dispatch else {}
    for plan in run.graph.plans:
        ended = failed.keys() - plan.pruned.keys()
        found |= {target.key: failed[target.key] for target in plan.targets if target.key in ended}
    return found


def _diverged(run: SweepRun, failed: Mapping[str, str]) -> int:
    """Count failed trials whose stages would fail in the same way again."""
    unmendable = {key for key, failure in run.store.failures.all().items() if failure.kind == "diverged"}
    return sum(
        target.key in failed and not unmendable.isdisjoint(stages)
        for plan in run.graph.plans
        for target, stages in zip(plan.targets, plan.per_trial, strict=True)
    )
