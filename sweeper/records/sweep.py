"""The last command of a sweep and how far it is, written by its driver for other terminals and later commands."""

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
"""Longer than another terminal's look at the lock takes."""
State = Literal["running", "finished", "failed", "interrupted", "lost"]


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SweepRecord(_Stored):
    """The command that a sweep was last run with."""

    name: str
    spaces: tuple[str, ...]
    """Names of its results, in order."""
    file: Path
    sets: tuple[str, ...]
    seeds: str | None
    preset: str | None
    options: dict[str, bool | int | float | str | tuple[str, ...]] = {}
    """The other options that the user gave, by name: how it is run. No passwords."""
    sources: dict[str, str]
    """Text of every YAML file by its absolute path."""
    tracking_uri: str | None
    """None for a sweep without MLflow."""
    store: Place | None = None
    """None for the one beside the record."""
    optuna_storage: str | None = None
    """None for the database beside the record, and for an address with a password."""
    is_searched: bool = False
    """Whether its trials are suggested while it runs."""
    commit: str | None
    """Of the first trainable's repository."""
    began: datetime
    host: str
    pid: int


class RunningStage(_Stored):
    """A stage that is being run."""

    stage: str
    key: str
    share: float
    """Of its steps, from 0 to 1."""
    seconds: float


class Status(_Stored):
    """How far a sweep is. A driver that was killed leaves ``running`` behind: see `is_driven`."""

    state: State
    updated: datetime
    done: int
    """Stages that this driver has finished."""
    total: int
    """Stages that this driver found missing."""
    failed: int
    failures: tuple[str, ...] = ()
    """The last ones: stage and cause."""
    elapsed: float
    """Seconds."""
    left: float | None
    """Seconds, where enough is known to tell."""
    running: tuple[RunningStage, ...] = ()
    note: str | None = None
    """Why it ended early."""
    search: str | None = None
    """How many suggestions have ended, of a sweep that is searched."""


def read_record(runs: Path, name: str) -> SweepRecord:
    """The record of a sweep. Raises SweeperError naming the nearest ones."""
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
    """The record of the sweep that was begun last among those that are wanted; what cannot be read is none."""
    last = None
    for name in RunsDirectory(runs).sweeps():
        with contextlib.suppress(SweeperError):
            record = read_record(runs, name)
            if wanted(record) and (last is None or record.began > last.began):
                last = record
    return last


def tracked_at(runs: Path, space: str) -> str | None:
    """The tracking URI of the last sweep that ran the space with MLflow."""
    last = last_record(runs, lambda record: space in record.spaces and record.tracking_uri is not None)
    return last.tracking_uri if last else None


def read_status(runs: Path, name: str) -> Status | None:
    """How far a sweep is; None before its driver has said anything."""
    try:
        return Status.model_validate_json(RunsDirectory(runs).status(name).read_text())
    except (OSError, ValueError):
        return None


def is_driven(runs: Path, name: str) -> bool:
    """Whether a living driver works at the sweep."""
    return is_held(RunsDirectory(runs).lock(name))


@contextlib.contextmanager
def driving(runs: Path, record: SweepRecord) -> Iterator[None]:
    """Be the sweep's one driver, and write its record.

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
    """Say how far the sweep is."""
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
    """Host and process of this driver."""
    return platform.node(), os.getpid()


def _replace(path: Path, value: BaseModel) -> None:
    aside = path.with_suffix(".new")
    aside.write_text(value.model_dump_json(indent=1))
    aside.replace(path)
