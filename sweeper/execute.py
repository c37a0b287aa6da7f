"""The graph on Ray Tune: a Searcher that suggests ready stages, a warm class Trainable that runs one after another.

A Tune trial is one stage. The store is the only truth: nothing of Tune's own state is kept or restored.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from dataclasses import asdict
from typing import Any

os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
os.environ["TUNE_GLOBAL_CHECKPOINT_S"] = "86400"
os.environ["RAY_AIR_NEW_OUTPUT"] = "0"

from ray import tune
from ray.tune.search import Searcher

from sweeper.dispatch import Dispatch
from sweeper.perform import Job, Outcome, perform

POLL_SECONDS = 1.0
LOST_WORKER_RETRIES = 2


class StageTrainable(tune.Trainable):  # type: ignore[misc]
    """Runs one stage per Tune trial. ``step`` returns every POLL_SECONDS, so that a trial can be stopped."""

    def setup(self, config: dict[str, Any]) -> None:
        """Start the stage on a thread."""
        self._ended = threading.Event()
        self._reached = (0, 0)
        self._outcome = Outcome(failure="the stage never ended")
        threading.Thread(target=self._perform, args=(Job.from_json(config["job"]),), daemon=True).start()

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next stage in this warm process."""
        self.setup(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """The outcome once the stage has ended, its progress until then."""
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
    """Suggests the stage with the longest remaining path among the ready ones.

    Args:
        dispatch: the sweep.
        slots: stages in flight at most.
    """

    def __init__(self, dispatch: Dispatch, slots: int) -> None:
        super().__init__(metric="reached", mode="max")
        self._dispatch = dispatch
        self._slots = slots
        self._keys: dict[str, str] = {}

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The next job; None while none is ready or no slot is free; FINISHED at the end."""
        if self._dispatch.finished:
            return str(Searcher.FINISHED)
        job = self._dispatch.next() if len(self._keys) < self._slots else None
        if job is None:
            return None
        self._keys[trial_id] = job.key
        return {"job": job.to_json(), "cpus": job.cpus, "gpus": job.gpus}

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """A running stage reported its progress."""
        if result["total"]:
            self._dispatch.progressed(self._keys[trial_id], result["reached"], result["total"])

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """A stage ended, or its worker was lost too often."""
        key = self._keys.pop(trial_id, None)
        if key is None:
            return
        lost = Outcome(failure=f"its worker process died {LOST_WORKER_RETRIES + 1} times (killed, or out of memory)")
        told = result.get("outcome") if result and not error else None
        self._dispatch.ended(key, Outcome(**json.loads(told)) if told else lost)

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles its searcher for a restore that never comes."""
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the store is the only truth."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: the store is the only truth."""


def run_on_ray(dispatch: Dispatch, slots: int) -> None:
    """Run every missing stage on the connected cluster, ``slots`` at a time at most.

    Raises KeyboardInterrupt when the user stopped it; the store keeps what is done.
    """
    with tempfile.TemporaryDirectory(prefix="sweeper-tune-") as scratch:
        tuner = tune.Tuner(
            tune.with_resources(StageTrainable, _resources),
            tune_config=tune.TuneConfig(
                search_alg=StageSearcher(dispatch, slots), num_samples=-1, reuse_actors=True
            ),
            run_config=tune.RunConfig(
                storage_path=scratch, name="sweep", verbose=0,
                failure_config=tune.FailureConfig(max_failures=LOST_WORKER_RETRIES),
                checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
            ),
        )  # fmt: skip
        tuner.fit()
    if not dispatch.finished:
        raise KeyboardInterrupt


def _resources(config: dict[str, Any]) -> Any:
    request = {"CPU": config["cpus"], **({"GPU": config["gpus"]} if config["gpus"] else {})}
    return tune.PlacementGroupFactory([request])
