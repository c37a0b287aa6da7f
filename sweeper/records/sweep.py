"""The last command and the progress of a sweep, written by its driver for other terminals and later commands."""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Literal

from pydantic import BaseModel, ConfigDict

from sweeper.errors import SweeperError, nearest
from sweeper.records.layout import RunsDirectory
from sweeper.store.base import Place
from sweeper.store.local.locks import is_held

LOOK_SECONDS = 0.3
"""Longer than another terminal holds the lock to look at it."""
State = Literal["running", "finished", "failed", "interrupted", "lost"]


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SweepRecord(_Stored):
    """The command that a sweep was last run with."""

    name: str
    spaces: tuple[str, ...]
    """Names of its spaces, in order."""
    file: Path
    sets: tuple[str, ...]
    seeds: str | None
    preset: str | None
    options: dict[str, bool | int | float | str | tuple[str, ...]] = {}
    """The other options that the user gave, by name. No passwords."""
    sources: dict[str, str]
    """Text of every YAML file by its absolute path."""
    tracking_uri: str | None
    """Tracking URI; None for a sweep without MLflow."""
    store: Place | None = None
    """Address of the store; None for the one beside the record."""
    optuna_storage: str | None = None
    """Address of the studies; None for the database beside the record, and for an address with a password."""
    is_searched: bool = False
    """True if its trials are suggested while it runs."""
    commit: str | None
    """Commit of the first trainable's repository."""
    began: datetime
    host: str
    pid: int


class RunningStage(_Stored):
    """A stage that is running."""

    stage: str
    key: str
    share: float
    """Share of its steps that are done, from 0 to 1."""
    seconds: float


class Status(_Stored):
    """The progress of a sweep. A driver that was killed leaves ``running`` behind: see `is_driven`."""

    state: State
    updated: datetime
    done: int
    """Stages that this driver has finished."""
    total: int
    """Stages that this driver found missing."""
    failed: int
    failures: tuple[str, ...] = ()
    """The last failures: stage and cause."""
    elapsed: float
    """Seconds."""
    left: float | None
    """Seconds left; None until enough is measured."""
    running: tuple[RunningStage, ...] = ()
    note: str | None = None
    """Reason for an early end."""
    search: str | None = None
    """Progress of the suggestions, for a search."""


def read_record(runs: Path, name: str) -> SweepRecord:
    """Read the record of a sweep. Raises SweeperError with the nearest names."""
    path = RunsDirectory(runs).record(name)
    try:
        return SweepRecord.model_validate_json(path.read_text())
    except FileNotFoundError:
        known = RunsDirectory(runs).sweeps()
        fix = nearest(name, known) if known else "run one: sweeper run SPACE"
        raise SweeperError(f"no sweep called '{name}' in {runs}", fix=fix) from None
    except (OSError, ValueError):
        raise SweeperError(f"{path} cannot be read", fix="run the sweep again to rewrite the file") from None


def last_record(runs: Path, wanted: Callable[[SweepRecord], bool]) -> SweepRecord | None:
    """Return the record of the last started sweep among the wanted ones; unreadable records are skipped."""
    last = None
    for name in RunsDirectory(runs).sweeps():
        with contextlib.suppress(SweeperError):
            record = read_record(runs, name)
            if wanted(record) and (last is None or record.began > last.began):
                last = record
    return last


def tracked_at(runs: Path, space: str) -> str | None:
    """Return the tracking URI of the last sweep that ran the space with MLflow."""
    last = last_record(runs, lambda record: space in record.spaces and record.tracking_uri is not None)
    return last.tracking_uri if last else None


def read_status(runs: Path, name: str) -> Status | None:
    """Read the progress of a sweep; None before its driver has written any."""
    try:
        return Status.model_validate_json(RunsDirectory(runs).status(name).read_text())
    except (OSError, ValueError):
        return None


def is_driven(runs: Path, name: str) -> bool:
    """Check whether a living driver runs the sweep."""
    return is_held(RunsDirectory(runs).lock(name))


@contextlib.contextmanager
def driving(runs: Path, record: SweepRecord) -> Iterator[None]:
    """Become the sweep's only driver, and write its record.

    Raises SweeperError while another one lives, and where nothing can be written.
    """
    there = RunsDirectory(runs)
    directory = there.sweep(record.name)
    with contextlib.ExitStack() as stack:
        try:
            directory.mkdir(parents=True, exist_ok=True)
            if not _locked(stack.enter_context(there.lock(record.name).open("ab"))):
                other = read_record(runs, record.name)
                message = f"sweep {record.name} is being run by process {other.pid} on {other.host}"
                raise SweeperError(message, fix=f"watch it with: sweeper status {record.name} --watch")
            _replace(there.record(record.name), record)
        except OSError as error:
            message = f"{directory} cannot be written: {error.strerror}"
            raise SweeperError(message, fix="free some space, or choose another directory with --runs") from None
        yield


def write_status(runs: Path, name: str, status: Status) -> None:
    """Write the progress of the sweep."""
    _replace(RunsDirectory(runs).status(name), status)


def _locked(file: IO[bytes]) -> bool:
    until = time.monotonic() + LOOK_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(0.01)
        else:
            return True


def here() -> tuple[str, int]:
    """Return host and process of this driver."""
    return platform.node(), os.getpid()


def _replace(path: Path, value: BaseModel) -> None:
    aside = path.with_suffix(".new")
    aside.write_text(value.model_dump_json(indent=1))
    aside.replace(path)
