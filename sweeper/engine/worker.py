"""Perform one stage against a store: the same in a Ray worker and in the current process."""

from __future__ import annotations

import errno
import json
import os
import platform
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from sweeper import __version__
from sweeper.engine.memory import forget_peak, is_out_of_memory, peak, there_is
from sweeper.errors import Diverged, SweeperError, first_line
from sweeper.store import open_store
from sweeper.store.base import CURVE, Damaged, Place, Store, Unreachable
from sweeper.store.failures import Kind
from sweeper.trainable import provenance
from sweeper.trainable.provenance import Repository
from sweeper.trainable.resources import Resources
from sweeper.trainable.source import source_hash
from sweeper.trainable.stage import StageFunction

STATE = "run.json"
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
ROOM = 2**16
SAME_CODE = "Put the same files on every node"


@dataclass(frozen=True)
class Job:
    """A stage in plain JSON form, with its store, code and resources."""

    key: str
    function: str
    """``module:qualname``, see `StageFunction.at`."""
    params: Mapping[str, Any]
    inputs: Mapping[str, str | list[str]]
    store: Place
    sweep: str
    code: Mapping[str, str]
    """Hashes of the code to run, see `sweeper.trainable.provenance.code_of`."""
    repository: Repository
    """Commit of the code as the driver sees it: a node may have a copy without a repository."""
    save_seconds: float
    """Interval at which a stage saves its progress."""
    request: Resources
    """Resources that the stage uses: threads, and a share of a GPU or none."""
    place: Resources
    """Resources reserved for it; more than the request for a stage that must run alone."""

    @property
    def device(self) -> str:
        """Torch device that the stage is given."""
        return "cuda" if self.request.gpus else "cpu"

    def to_json(self) -> str:
        """Return one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Job:
        """Return the job of a line from `to_json`."""
        values = json.loads(text)
        places = {name: Resources(**values[name]) for name in ("request", "place")}
        others = {"store": Place(**values["store"]), "repository": Repository(**values["repository"])}
        return cls(**values | places | others)


@dataclass(frozen=True)
class Outcome:
    """The end of a job: done, failed with a cause, or deferred."""

    failure: str | None = None
    """One line: the exception and where it was raised."""
    kind: Kind = "error"
    """Traceback of a failure."""
    trace: str | None = None
    damaged: str | None = None
    """Key of a damaged input, which must be made again first."""
    elsewhere: bool = False
    """True if another sweep is running this very stage."""
    halt: str | None = None
    """Reason why no stage can run for now, such as a full disk, or code that differs from the driver's."""


@dataclass
class DirectoryRun:
    """A `sweeper.trainable.stage.StageRun` on a store's scratch directory."""

    job: Job
    store: Store
    output: Path
    progressed: Callable[[int, int], None]
    curve: dict[str, list[float]] = field(default_factory=dict)
    _earlier_seconds: float = 0.0
    """Seconds that earlier starts of this stage took, up to the progress they saved."""
    _started: float = field(default_factory=time.monotonic)
    _saved_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        if self.saved:
            state = json.loads((self.saved / STATE).read_text())
            self.curve, self._earlier_seconds = state["curve"], state["seconds"]

    @property
    def device(self) -> str:
        return self.job.device

    @property
    def seconds(self) -> float:
        """Seconds spent on this stage so far."""
        return self._earlier_seconds + time.monotonic() - self._started

    @cached_property
    def saved(self) -> Path | None:
        return self.store.progress(self.job.key)

    def due(self) -> bool:
        return time.monotonic() - self._saved_at >= self.job.save_seconds

    def save(self, write: Callable[[Path], None]) -> None:
        with self.store.scratch() as directory:
            write(directory)
            (directory / STATE).write_text(json.dumps({"curve": self.curve, "seconds": self.seconds}))
            self.store.save_progress(self.job.key, directory)
        self._saved_at = time.monotonic()

    def log(self, step: int, total: int, **metrics: float) -> None:
        if metrics:
            for name, value in {"step": step, **metrics}.items():
                self.curve.setdefault(name, []).append(value)
        self.progressed(step, total)


def perform(job: Job, progressed: Callable[[int, int], None]) -> Outcome:
    """Run a job's stage and commit its artifact; a stage whose artifact exists is done already.

    With other code than the driver's nothing is done: its results would be told as those of the driver's code.
    Whatever the stage raises becomes the outcome; KeyboardInterrupt passes. What a user can mend (SweeperError) and
    what the numbers did (Diverged) has no traceback.
    """
    if stale := provenance.other_code(job.code):
        return Outcome(halt=f"{stale}. {SAME_CODE}")
    try:
        store = open_store(job.store)
    except (SweeperError, OSError) as error:
        return Outcome(halt=first_line(error))
    try:
        owner = f"sweep {job.sweep}, process {os.getpid()} on {platform.node()}"
        with closing(store), store.claims.hold(job.key, owner) as ours:
            if store.has(job.key):
                return Outcome()
            return _attempt(job, store, progressed) if ours else Outcome(elsewhere=True)
    except Unreachable as error:
        return Outcome(halt=error.message)
    except OSError as error:
        return Outcome(halt=_of_the_store(error))


def _attempt(job: Job, store: Store, progressed: Callable[[int, int], None]) -> Outcome:
    try:
        inputs = {
            name: store.open(keys) if isinstance(keys, str) else tuple(store.open(key) for key in keys)
            for name, keys in job.inputs.items()
        }
    except Damaged as damaged:
        return Outcome(damaged=damaged.key)
    try:
        _run(job, store, inputs, progressed)
    except Exception as error:
        return _outcome_of(error, job.request)
    return Outcome()


def _outcome_of(error: Exception, request: Resources) -> Outcome:
    if isinstance(error, Unreachable):
        return Outcome(halt=error.message)
    if isinstance(error, SweeperError):
        return Outcome(failure=str(error))
    if isinstance(error, Diverged):
        return Outcome(failure=str(error), kind="diverged")
    if isinstance(error, OSError) and error.errno in UNWRITABLE:
        return Outcome(halt=_of_the_store(error))
    if is_out_of_memory(error):
        failure = f"out of memory: {first_line(error)}; it asked for {request}, there is {there_is(request)}"
        return Outcome(failure=failure, kind="out of memory")
    return Outcome(failure=_cause(error), trace=traceback.format_exc())


def _run(
    job: Job, store: Store, inputs: Mapping[str, Path | tuple[Path, ...]], progressed: Callable[[int, int], None]
) -> None:
    function = StageFunction.at(job.function)
    _settle(job)
    with store.scratch() as directory:
        run = DirectoryRun(job, store, directory, progressed)
        started = datetime.now(UTC)
        forget_peak(job.device)
        try:
            function.run(run, job.params, inputs)
            if run.curve:
                (directory / CURVE).write_text(json.dumps(run.curve))
            store.commit(job.key, directory, _provenance(job, function, started, run.seconds))
        except Exception as error:
            if full := _full(directory):
                raise full from error
            raise


def _full(directory: Path) -> OSError | None:
    """Return why a directory cannot be written any more. Libraries report it in words of their own, or not at all."""
    try:
        (directory / "room").write_bytes(bytes(ROOM))
    except OSError as error:
        return error if error.errno in UNWRITABLE else None
    return None


def _settle(job: Job) -> None:
    """Make the result depend on the job alone: threads, determinism, and no state of an earlier stage."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch

    torch.set_num_threads(job.request.cpus)
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # slow
    torch.set_default_dtype(torch.float32)
    torch.backends.fp32_precision = "ieee"  # type: ignore[attr-defined]  # GPUs convolve in TF32 by default
    torch.manual_seed(0)
    if job.request.gpus:  # a share of memory as of time: a stage that needs more fails itself, and not its neighbour
        torch.cuda.empty_cache()
        torch.cuda.set_per_process_memory_fraction(min(1.0, job.place.gpus))


def _provenance(job: Job, function: StageFunction, started: datetime, seconds: float) -> dict[str, Any]:
    return {
        "key": job.key,
        "stage": function.name,
        "function": job.function,
        "version": function.version,
        "params": job.params,
        "inputs": job.inputs,
        "sweep": job.sweep,
        "started": started.isoformat(),
        "seconds": round(seconds, 3),
        "cpus": job.request.cpus,
        "gpus": job.request.gpus,
        "device": job.device,
        "peak_memory": peak(job.device),
        "machine": platform.node(),
        "source": source_hash(function.module),
        "commit": job.repository.commit,
        "diff": job.repository.diff,
        "packages": provenance.packages(function.module),
        "sweeper": __version__,
    }


def _cause(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"


def _of_the_store(error: OSError) -> str:
    return f"the store cannot be written: {error.strerror or error}" + (f": {error.filename}" if error.filename else "")
