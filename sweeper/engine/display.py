"""Show the progress of a sweep: stages done, running stages, and the time left."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from rich.console import Console

from sweeper.engine.bars import Bar, bar_on
from sweeper.engine.observers import Observer
from sweeper.planning.text import clock
from sweeper.records.sweep import RunningStage, State, Status
from sweeper.trainable.stage import Stage

LINE_SECONDS = 15.0
"""Interval between lines where there is no bar."""
BAR_SECONDS = 0.2
"""Shortest interval between moves of the bar."""
STATUS_SECONDS = 1.0
MAX_FAILURES = 20
"""Failures that a status names; the results hold all."""
MEASURED_SHARE = 0.01
"""Share of the work after which the time left is shown: the first stages say little about the rest."""


def say(console: Console, text: str) -> None:
    """Print text as it is, in lines as long as they are."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)


class Estimate:
    """Estimates the seconds left from the seconds per unit of work of each stage function so far.

    Args:
        stages: all stages that have to run.
        slots: stages that run at a time.
    """

    def __init__(self, stages: Mapping[str, Stage], slots: int) -> None:
        self._left: dict[str, float] = {}
        self._total = 0.0
        self._label: dict[str, str] = {}
        self._slots = slots
        self._measured: dict[str, tuple[float, float]] = {}
        """Work done and seconds spent by key."""
        self.add(stages)

    def add(self, stages: Mapping[str, Stage]) -> int:
        """Add stages that have to run; return how many of them are new."""
        new = {key: node for key, node in stages.items() if key not in self._left}
        self._left |= {key: node.work for key, node in new.items()}
        self._label |= {key: node.function.label for key, node in new.items()}
        self._total += sum(node.work for node in new.values())
        return len(new)

    def measured(self, node: Stage, share: float, seconds: float) -> None:
        """Record that a stage has done ``share`` of its work in ``seconds``."""
        self._measured[node.key] = (node.work * share, seconds)
        self._left[node.key] = node.work * (1 - share)
        self._label[node.key] = node.function.label  # also of an input that is made again

    @property
    def seconds_left(self) -> float | None:
        """Seconds left; None until enough work is measured. Functions not measured yet count at the mean rate."""
        if sum(work for work, _ in self._measured.values()) < MEASURED_SHARE * self._total:
            return None
        work: dict[str, float] = defaultdict(float)
        seconds: dict[str, float] = defaultdict(float)
        for key, (done, spent) in self._measured.items():
            for label in (self._label[key], ""):  # "": all functions together
                work[label] += done
                seconds[label] += spent
        rates = {label: seconds[label] / work[label] for label in work if work[label]}
        left = {key: each for key, each in self._left.items() if each}
        busy = max(1, min(self._slots, len(left)))
        return sum(each * rates.get(self._label[key], rates[""]) for key, each in left.items()) / busy


class Display(Observer):
    """An observer that shows a live bar on a terminal and in a notebook, and occasional lines elsewhere.

    Args:
        stages: all stages that have to run.
        slots: stages that run at a time.
        console: where it is shown.
        tell: given the status every second, for other terminals.
        search: how far a search is, in words and as a share from 0 to 1; None without one.
    """

    def __init__(
        self,
        stages: Mapping[str, Stage],
        slots: int,
        console: Console,
        tell: Callable[[Status], None],
        search: Callable[[], tuple[str, float] | None] = lambda: None,
    ) -> None:
        self._estimate = Estimate(stages, slots)
        self._total = len(stages)
        self._done = 0
        self._failures: list[str] = []
        self._deferred: dict[str, str] = {}
        self._running: dict[str, tuple[Stage, float, float]] = {}
        self._console = console
        self._tell = tell
        self._search = search
        self._searched_before = found[1] if (found := search()) else 0.0
        self._told = 0.0
        self._began = self._printed = time.monotonic()
        self._bar: Bar | None = None

    def __enter__(self) -> Self:
        self._bar = bar_on(self._console)
        if self._bar:
            self._printed -= BAR_SECONDS  # so that it shows the first stage at once
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def added(self, stages: Mapping[str, Stage]) -> None:
        """See `sweeper.engine.observers.Observer`."""
        self._total += self._estimate.add(stages)

    def started(self, node: Stage) -> None:
        """See `sweeper.engine.observers.Observer`."""
        self._running[node.key] = (node, time.monotonic(), 0.0)
        self._show()

    def progressed(self, node: Stage, step: int, total: int) -> None:
        """See `sweeper.engine.observers.Observer`."""
        began = self._running[node.key][1]
        share = min(step / total, 0.999)
        self._running[node.key] = (node, began, share)
        self._estimate.measured(node, share, time.monotonic() - began)
        self._show()

    def deferred(self, node: Stage, why: str) -> None:
        """See `sweeper.engine.observers.Observer`."""
        self._running.pop(node.key)
        if self._deferred.get(node.key) != why:  # a stage that another sweep is at is looked at every second
            self._say(f"deferred: {node.function.label} {node.key[:12]}: {why}")
        self._deferred[node.key] = why
        self._show()

    def ended(self, node: Stage, failure: str | None) -> None:
        """See `sweeper.engine.observers.Observer`."""
        _, began, _ = self._running.pop(node.key)
        if failure:
            self._failures.append(f"{node.function.label} {node.key[:12]}: {failure}")
            self._say(f"failed: {self._failures[-1]}")
        else:
            self._done += 1
            self._estimate.measured(node, 1.0, time.monotonic() - began)
        self._show()

    @property
    def summary(self) -> str:
        """The result, in one line."""
        failed = f", {len(self._failures)} failed" if self._failures else ""
        return f"{self._done} stages in {clock(time.monotonic() - self._began)}{failed}"

    def status(self, state: State, note: str | None = None) -> Status:
        """Return the progress of the sweep, for other terminals."""
        now = time.monotonic()
        running = tuple(
            RunningStage(stage=node.function.label, key=key, share=share, seconds=now - began)
            for key, (node, began, share) in self._running.items()
        )
        return Status(
            state=state,
            updated=datetime.now(UTC),
            done=self._done,
            total=self._total,
            failed=len(self._failures),
            failures=tuple(self._failures[-MAX_FAILURES:]),
            elapsed=now - self._began,
            left=self._left(now),
            running=running,
            note=note,
            search=self._searched(),
        )

    def _say(self, line: str) -> None:
        say(self._console, f"  {line}")

    def _show(self) -> None:
        now = time.monotonic()
        if now - self._told >= STATUS_SECONDS:
            self._told = now
            self._tell(self.status("running"))
        if now - self._printed < (BAR_SECONDS if self._bar else LINE_SECONDS):
            return
        self._printed = now
        if self._bar:
            self._bar.show(self._done, self._total, self._line(now))
        else:
            self._say(self._line(now))

    def _left(self, now: float) -> float | None:
        """Return seconds. A search knows its suggestions, not their stages: it uses the pace of ended suggestions."""
        if (found := self._search()) is None:
            return self._estimate.seconds_left
        done = found[1] - self._searched_before
        return (now - self._began) * (1 - found[1]) / done if done else None

    def _searched(self) -> str | None:
        found = self._search()
        return found[0] if found else None

    def _line(self, now: float) -> str:
        left, searched = self._left(now), self._searched()
        parts = [
            *([searched] if searched else []),
            f"{self._done}/{self._total} stages",
            *([f"{len(self._failures)} failed"] if self._failures else []),
            f"{clock(now - self._began)} elapsed",
            f"about {clock(left)} left" if left is not None else "time left not known yet",
        ]
        running = Counter(node.function.label for node, _, share in self._running.values() if not share)
        named = [f"{label} x{count}" if count > 1 else label for label, count in sorted(running.items())]
        named += [f"{node.function.label} {share:.0%}" for node, _, share in self._running.values() if share]
        return " · ".join([*parts, *([", ".join(named)] if named else [])])
