"""Show the progress of a sweep from its driver's status and the store: once, or while its driver lives."""

from __future__ import annotations

import shlex
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.text import Text

from sweeper.errors import from_here
from sweeper.planning.text import aligned, clock
from sweeper.records.sweep import Status, SweepRecord, is_driven, read_record, read_status
from sweeper.records.trials import RecordedTrial, read_trials, store_of

WATCH_SECONDS = 1.0
KILLED = "driver exited without a final status (killed?)"
NAMED = 4
"""Failed trials of one cause that are listed; the others are counted."""


@dataclass(frozen=True)
class Look:
    """A sweep at one moment."""

    runs: Path
    record: SweepRecord
    driven: bool
    status: Status | None
    """Status written by its last driver; None if that has not written any yet."""
    trials: Mapping[str, Sequence[tuple[RecordedTrial, str]]]
    """Trials by space, each with its status now; empty if a space has no results yet."""
    done: int
    """Number of stages in the store, of all that its trials need."""
    total: int

    @property
    def state(self) -> str:
        """The state in a word, or a guess for a driver that has written none."""
        if self.status is None:
            return "starting" if self.driven else KILLED
        return KILLED if self.status.state == "running" and not self.driven else self.status.state

    def count(self, status: str) -> int:
        """Return the trials of this status in all spaces."""
        return sum(each == status for trials in self.trials.values() for _, each in trials)

    @property
    def all_trials(self) -> int:
        """Trials of all spaces."""
        return sum(map(len, self.trials.values()))


def look(runs: Path, name: str) -> Look:
    """Read the progress of the sweep now. Raises SweeperError with the nearest names."""
    driven = is_driven(runs, name)  # first: what a driver that has ended has said is its last word
    record, status, store = read_record(runs, name), read_status(runs, name), store_of(runs, name)
    if status and status.updated < record.began:  # of the driver before
        status = None
    found = {space: read_trials(runs, space) for space in record.spaces}
    keys = {key for trials in found.values() for trial in trials for key in trial.stages}
    done = store.existing(keys)
    trials = {space: [(trial, trial.status_among(done)) for trial in trials] for space, trials in found.items()}
    return Look(runs, record, driven, status, trials, len(done), len(keys))


def status_text(now: Look) -> str:
    """Format all of it for a terminal: what matters most comes first."""
    head = f"{now.record.name}: {_state(now)}"
    return "\n".join([head, *aligned(list(_lines(now)), indent="  "), *_failures(now), *_rows(now)])


def status_line(now: Look) -> str:
    """Format the progress in one line, which stays the same while nothing is done."""
    failed = f", {now.count('failed')} failed" if now.count("failed") else ""
    trials = f"{now.count('finished')} of {now.all_trials} trials finished{failed}"
    return f"{now.record.name}: {now.state}, {now.done} of {now.total} stages, {trials}"


def watch_sweep(runs: Path, name: str, console: Console) -> None:
    """Show the sweep until its driver ends or the user stops looking: in place on a terminal, else line by line.

    Raises SweeperError.
    """
    try:
        if console.is_terminal:
            with Live(console=console, auto_refresh=False) as live:
                for now in _looks(runs, name):
                    live.update(Text(status_text(now)), refresh=True)
            return
        told = ""
        for now in _looks(runs, name):
            if (line := status_line(now)) != told:
                console.print(told := line, markup=False, highlight=False, soft_wrap=True)
    except KeyboardInterrupt:
        return


def go_on(runs: Path, record: SweepRecord) -> str:
    """Return the command that the sweep was run with, which resumes it from here."""
    words = ["sweeper", "run", from_here(record.file)]
    for option, value in (("--preset", record.preset), ("--seeds", record.seeds)):
        words += [option, value] if value else []
    for assignment in record.sets:
        words += ["--set", assignment]
    for name, given in record.options.items():
        words += _option(name, given)
    return shlex.join([*words, *(["--runs", str(runs)] if runs != Path("runs") else [])])


def _option(name: str, value: bool | float | str | tuple[str, ...]) -> Iterator[str]:
    """Return an option as written: a flag by its name alone, a repeatable one for each of its values."""
    for each in value if isinstance(value, tuple) else [value]:
        yield f"--{name.replace('_', '-')}"
        if isinstance(each, str):
            yield from_here(Path(each)) if each.startswith("/") else each
        elif each is not True:
            yield str(each).removesuffix(".0")


def local_time(moment: datetime) -> str:
    """Format date and time in this machine's zone."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _looks(runs: Path, name: str) -> Iterator[Look]:
    while True:
        now = look(runs, name)
        yield now
        if not now.driven:
            return
        time.sleep(WATCH_SECONDS)


def _state(now: Look) -> str:
    return f"{KILLED}; run the same command again to resume" if now.state == KILLED else now.state


def _lines(now: Look) -> Iterator[tuple[str, str]]:
    record, status = now.record, now.status
    yield "driver", f"process {record.pid} on {record.host}, began {local_time(record.began)}"
    if status:
        if status.note:
            yield "note", status.note
        left = f", about {clock(status.left)} left" if status.left is not None else ", time left not known yet"
        ended = "" if now.driven else f", until {local_time(status.updated)}"
        yield "time", f"{clock(status.elapsed)} elapsed{left if now.driven else ended}"
    if status and status.search:
        yield "search", status.search
    failed = f", {status.failed} failed" if status and status.failed else ""
    yield "stages", f"{now.done} of {now.total} done{failed}" if now.total else "not known yet"
    if now.all_trials:
        counts = [f"{now.count(each)} {each}" for each in ("failed", "pruned", "missing") if now.count(each)]
        yield "trials", ", ".join([f"{now.count('finished')} of {now.all_trials} finished", *counts])
    yield "command", go_on(now.runs, record)
    if status and now.driven:
        for title, each in zip(_once("running"), status.running, strict=False):
            yield title, f"{each.stage} {each.key[:12]}  {each.share:.0%}  {clock(each.seconds)}"


def _once(title: str) -> Iterator[str]:
    yield title
    while True:
        yield ""


def _failures(now: Look) -> Iterator[str]:
    by_cause: dict[str, list[str]] = {}
    for trials in now.trials.values():
        for trial, status in trials:
            if status == "failed":
                by_cause.setdefault(str(trial.cause), []).append(trial.label)
    for cause, labels in by_cause.items():
        more = f" and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
        yield f"  failed: {', '.join(labels[:NAMED])}{more}: {cause}"


def _rows(now: Look) -> Iterator[str]:
    """Format the trials of every row, a table for each space."""
    for space, trials in now.trials.items():
        counts: dict[str, Counter[str]] = {}
        for trial, status in trials:
            counts.setdefault(trial.row or "all", Counter())[status] += 1
        pruned = ["pruned"] if any(count["pruned"] for count in counts.values()) else []
        titles = ("finished", "failed", *pruned, "missing")
        rows = [(row, *(str(count[title]) for title in titles)) for row, count in counts.items()]
        yield ""
        right = tuple(range(1, len(titles) + 1))
        yield from aligned([(space, *titles), *rows], right=right) if rows else [f"{space}  no results yet"]
