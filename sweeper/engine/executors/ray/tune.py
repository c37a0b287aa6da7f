"""Run the graph on Ray Tune: a Searcher suggests ready stages, warm Trainable processes run them one after another.

A Tune trial is one stage. The store is the only truth: nothing of Tune's own state is kept or restored.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
os.environ["TUNE_GLOBAL_CHECKPOINT_S"] = "86400"
os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = "100000"  # the searcher says how many; Tune would start one after the other
os.environ["RAY_AIR_NEW_OUTPUT"] = "0"

from ray import tune
from ray.tune.schedulers import FIFOScheduler
from ray.tune.search import Searcher

from sweeper.engine.dispatch import Dispatch
from sweeper.engine.executors.ray.watchdog import Pulse
from sweeper.engine.worker import Job, Outcome, perform
from sweeper.errors import ClusterLost
from sweeper.trainable.search_path import append

MEMORY_MONITOR = "OutOfMemoryError"
"""Part of Ray's error for a worker that its memory monitor ended."""
POLL_SECONDS = 1.0
LOOK_SECONDS = 0.2
STOP_SECONDS = 30.0
"""Time for running stages to stop."""
LOST_SECONDS = 5.0
"""Time for Tune to notice that its cluster is dead: Ray ends a process that uses a connection after its
shutdown, before the error is printed. Less than Ray's own minute, see `watchdog.SILENT_SECONDS`."""


class StageTrainable(tune.Trainable):  # type: ignore[misc]
    """Runs one stage per Tune trial. ``step`` returns every POLL_SECONDS, so that a trial can be stopped."""

    def setup(self, config: dict[str, Any]) -> None:
        """Start the stage on a thread. The driver's working directory may hold its trainable."""
        append(config["directory"])
        self._ended = threading.Event()
        self._reached = (0, 0)
        self._outcome = Outcome(failure="the stage never ended")
        threading.Thread(target=self._perform, args=(Job.from_json(config["job"]),), daemon=True).start()

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next stage in this warm process."""
        self.setup(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Return the outcome once the stage has ended, its progress until then."""
        done = self._ended.wait(POLL_SECONDS)
        reached, total = self._reached
        outcome = json.dumps(asdict(self._outcome)) if done else None  # Tune flattens nested results
        return {"done": done, "reached": reached, "total": total, "outcome": outcome}

    def _perform(self, job: Job) -> None:
        ended = self._ended
        try:
            self._outcome = perform(job, self._progressed)
        finally:
            ended.set()

    def _progressed(self, step: int, total: int) -> None:
        self._reached = (step, total)


class StageSearcher(Searcher):  # type: ignore[misc]
    """Suggests the stage with the longest remaining path among the ready ones that fit.

    Args:
        dispatch: the sweep.
        slots: stages in flight at most.
    """

    def __init__(self, dispatch: Dispatch, slots: int) -> None:
        super().__init__(metric="reached", mode="max")
        self.dispatch = dispatch
        self.stopped = False
        self._slots = slots
        self._directory = str(Path.cwd())
        self._keys: dict[str, str] = {}

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """Return the next job; None while none is ready or no slot is free; FINISHED at the end."""
        if self.stopped or self.dispatch.finished:
            return str(Searcher.FINISHED)
        job = self.dispatch.next() if len(self._keys) < self._slots else None
        if job is None:
            return None
        self._keys[trial_id] = job.key
        return {"job": job.to_json(), "place": asdict(job.place), "directory": self._directory}

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Report the progress of a running stage."""
        if result["total"]:
            self.dispatch.progressed(self._keys[trial_id], result["reached"], result["total"])

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Report the end of a stage. A lost worker is reported by `lost`."""
        told = result.get("outcome") if result and not error else None
        if told and trial_id in self._keys:
            self.dispatch.ended(self._keys.pop(trial_id), Outcome(**json.loads(told)))

    def lost(self, trial_id: str, error: str) -> None:
        """Report that the worker of a stage is gone."""
        if trial_id not in self._keys:
            return
        key = self._keys.pop(trial_id)
        if MEMORY_MONITOR in error:
            place, there = self.dispatch.schedule.request(key), "its node had no memory left"
            failure = f"out of memory: Ray ended its worker, as {there}; it asked for {place}"
            self.dispatch.ended(key, Outcome(failure=failure, kind="out of memory"))
        else:
            self.dispatch.lost(key, "its worker process died")

    def __getstate__(self) -> dict[str, Any]:
        """Return nothing: Tune pickles its searcher for a restore that never happens."""
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Do nothing: the store is the only truth."""

    def restore(self, checkpoint_path: str) -> None:
        """Do nothing: the store is the only truth."""


class _Losses(tune.Callback):  # type: ignore[misc]
    """Reports lost workers to the searcher, which Tune does not."""

    def __init__(self, searcher: StageSearcher) -> None:
        self._searcher = searcher

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self._searcher.lost(trial.trial_id, str(trial.get_error() or ""))


class _FreeFirst(FIFOScheduler):  # type: ignore[misc]
    """Keeps a starting process for the stage that it starts for.

    Tune's own would give that stage the next warm process that is free, and end the one that starts. With stages that
    take less time than a process takes to start, one slot would then do all the work.
    """

    def choose_trial_to_run(self, *_: Any) -> None:
        """Choose none of the trials that have a process: Tune then looks for one that has none."""


class _Stop(tune.Stopper):  # type: ignore[misc]
    def __init__(self, searcher: StageSearcher) -> None:
        self._searcher = searcher

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return self._searcher.stopped


def run_on_ray(dispatch: Dispatch, slots: int) -> None:
    """Run every missing stage on the connected cluster, ``slots`` at a time at most.

    Tune runs on a thread, so that a cluster that dies under it, or Ctrl-C, ends the wait at once. The store keeps what
    is done. Raises ClusterLost, and KeyboardInterrupt when the user stopped it.
    """
    searcher, errors = StageSearcher(dispatch, slots), []

    def fit() -> None:
        try:
            _fit(searcher)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=fit, daemon=True)
    with Pulse() as pulse:
        thread.start()
        try:
            while thread.is_alive():
                thread.join(LOOK_SECONDS)
                pulse.check()
        except (ClusterLost, KeyboardInterrupt) as error:
            searcher.stopped = True
            thread.join(LOST_SECONDS if isinstance(error, ClusterLost) else STOP_SECONDS)
            raise
        finally:
            searcher.stopped = True
    if errors:
        raise errors[0]


def _fit(searcher: StageSearcher) -> None:
    with tempfile.TemporaryDirectory(prefix="sweeper-tune-") as scratch:
        tuner = tune.Tuner(
            tune.with_resources(StageTrainable, _resources),
            tune_config=tune.TuneConfig(search_alg=searcher, num_samples=-1, reuse_actors=True, scheduler=_FreeFirst()),
            run_config=tune.RunConfig(
                storage_path=scratch,
                name="sweep",
                verbose=0,
                stop=_Stop(searcher),
                callbacks=[_Losses(searcher)],
                failure_config=tune.FailureConfig(max_failures=0),
                checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
            ),
        )
        tuner.fit()


def _resources(config: dict[str, Any]) -> Any:
    place = config["place"]
    request = {"CPU": place["cpus"], "GPU": place["gpus"], "memory": place["memory"]}
    return tune.PlacementGroupFactory([{name: amount for name, amount in request.items() if amount}])
