"""MLflow: a run per sweep, below it a run per trial and a run per executed stage. Only the driver writes.

A trial's or stage's run is written when it has ended, with its true start and end, and found again by its key: a
sweep that goes on neither doubles a run nor leaves one behind, and what a killed driver did not write is written then.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException

from sweeper.errors import SweeperError, first_line
from sweeper.perform import CURVE
from sweeper.plan import Plan
from sweeper.printing import stage_name
from sweeper.results import flat_config, read_metrics
from sweeper.space import Trial
from sweeper.stage import Stage
from sweeper.store import Damaged, Store

BATCH = 900
"""Metrics per request; the server takes 1,000 at most."""


def knock(uri: str) -> None:
    """Ask a tracking server or database for an experiment. Raises SweeperError where it does not answer in seconds."""
    before = dict(os.environ)
    os.environ |= {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}
    try:
        MlflowClient(uri).search_experiments(max_results=1)
    except Exception as error:
        fix = "check --tracking-uri, or run with --no-tracking"
        raise SweeperError(f"MLflow at {uri} cannot be used: {first_line(error)}", fix=fix) from None
    finally:
        os.environ.clear()
        os.environ.update(before)


def has_experiment(uri: str, name: str) -> bool:
    """Whether a database has an experiment that is not deleted. Raises MlflowException."""
    found = MlflowClient(uri).get_experiment_by_name(name)
    return found is not None and found.lifecycle_stage == "active"


def delete_experiment(uri: str, name: str) -> None:
    """Mark an experiment as deleted, with its runs; nothing where there is none. Raises MlflowException."""
    client = MlflowClient(uri)
    found = client.get_experiment_by_name(name)
    if found and found.lifecycle_stage == "active":
        client.delete_experiment(found.experiment_id)


class Tracker:
    """An observer that writes ended trials and stages of one plan to MLflow.

    Args:
        plan: the sweep; its name is the experiment's.
        store: where manifests, curves and metrics are read from.
        uri: tracking URI of a server or database.
        artifacts: where a new experiment of an embedded database keeps artifacts; None on a server.

    Raises SweeperError when the tracking server or database cannot be used.
    """

    def __init__(self, plan: Plan, store: Store, uri: str, artifacts: Path | None) -> None:
        for name in ("alembic", "mlflow"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._plan = plan
        self._store = store
        self._trials: dict[str, list[tuple[Trial, dict[str, Stage]]]] = {}
        for (trial, target), stages in zip(plan.trials(), plan.per_trial, strict=True):
            self._trials.setdefault(target.key, []).append((trial, stages))
        self.broken: str | None = None
        """Why tracking stopped in the middle of the sweep."""
        try:
            self._client = MlflowClient(uri)
            self._failures: set[tuple[str, str]] = set()
            self._experiment = self._find_experiment(artifacts)
            self._written = {kind: self._find_runs(kind) for kind in ("sweep", "trial", "stage")}
            self._parent = self._start_parent()
        except Exception as error:
            fix = "check --tracking-uri, or run with --no-tracking"
            raise SweeperError(f"MLflow at {uri} cannot be used: {first_line(error)}", fix=fix) from None

    def started(self, node: Stage) -> None:
        """See `sweeper.dispatch.Observer`."""

    def progressed(self, node: Stage, step: int, total: int) -> None:
        """See `sweeper.dispatch.Observer`."""

    def put_off(self, node: Stage, why: str) -> None:
        """See `sweeper.dispatch.Observer`."""

    def ended(self, node: Stage, failure: str | None) -> None:
        """Write the stage's run, and the runs of the trials it finished."""
        if node.key not in self._plan.stages:  # of another space of the sweep
            return
        if failure:
            name = stage_name(node.function.label, node.params)
            self._guard(lambda: self._write_failure("stage", node.key, name, failure))
            return
        self._guard(lambda: self._write_stage(node))
        if node.key in self._trials:
            self._guard(lambda: self._write_trials(node.key))

    def close(self, failed: Mapping[str, str], interrupted: bool) -> None:
        """Write failed trials and what an interrupted driver left out, and end the sweep's run.

        Args:
            failed: cause by key of the stage that could not be done, in whichever space.
            interrupted: whether the user stopped the sweep.
        """
        for key, node in self._plan.stages.items():
            if self._store.has(key):
                self._guard(partial(self._write_stage, node))
        for key in self._trials:
            if self._store.has(key):
                self._guard(partial(self._write_trials, key))
        for trial, target in self._plan.trials():
            if target.key in failed:
                key = f"{target.key}:{trial.label}"
                self._guard(partial(self._write_failure, "trial", key, trial.label, failed[target.key]))
        status = "KILLED" if interrupted else "FAILED" if failed.keys() & self._plan.stages.keys() else "FINISHED"
        self._guard(lambda: self._client.set_terminated(self._parent, status))

    def _find_experiment(self, artifacts: Path | None) -> str:
        name = self._plan.space.name
        found = self._client.get_experiment_by_name(name)
        if found and found.lifecycle_stage != "active":
            self._client.restore_experiment(found.experiment_id)
        if found:
            return str(found.experiment_id)
        place = (artifacts / name).absolute().as_uri() if artifacts else None
        return str(self._client.create_experiment(name, artifact_location=place))

    def _find_runs(self, kind: str) -> dict[str, str]:
        """Ids by key. Failures are remembered, and what a driver that was killed left half written is deleted."""
        found: dict[str, str] = {}
        for run in self._search(f"tags.`sweeper.kind` = '{kind}'"):
            key, cause = run.data.tags["sweeper.key"], run.data.tags.get("sweeper.cause")
            if kind == "sweep" or run.info.status == "FINISHED":
                found[key] = run.info.run_id
            elif cause is not None:
                self._failures.add((key, cause))
            elif run.data.tags.get("sweeper.store") == str(self._store.root):  # not of another driver on this server
                self._client.delete_run(run.info.run_id)
        return found

    def _search(self, wanted: str) -> list[Run]:
        found: list[Run] = []
        token = None
        while True:
            page = self._client.search_runs([self._experiment], wanted, max_results=5000, page_token=token)
            found += page
            token = page.token
            if not token:
                return found

    def _start_parent(self) -> str:
        name = self._plan.space.name
        if name in self._written["sweep"]:
            run_id = self._written["sweep"][name]
            self._client.update_run(run_id, status="RUNNING")
            return run_id
        run = self._client.create_run(self._experiment, run_name=name, tags=_tags("sweep", name, None))
        return str(run.info.run_id)

    def _write_stage(self, node: Stage) -> None:
        if node.key in self._written["stage"]:
            return
        manifest = self._store.manifest(node.key)
        if manifest["sweep"] != self._plan.space.name:
            return
        curve_path = self._store.path(node.key) / CURVE
        curve = json.loads(curve_path.read_text()) if curve_path.exists() else {}
        steps = [int(step) for step in curve.pop("step", [])]
        stamp = _milliseconds(manifest["started"])
        metrics = [
            Metric(name, value, stamp, step)
            for name, values in curve.items()
            for step, value in zip(steps, values, strict=True)
        ]
        metrics.append(Metric("seconds", manifest["seconds"], stamp, 0))
        if steps:
            metrics.append(Metric("steps_per_second", steps[-1] / max(manifest["seconds"], 1e-3), stamp, 0))
        params = {name: value for name, value in manifest["params"].items() if not isinstance(value, dict | list)}
        params |= {name: manifest[name] for name in ("stage", "version", "device", "cpus", "machine", "commit")}
        name = stage_name(node.function.label, node.params)
        self._write("stage", node.key, name, params, metrics, stamp, manifest["seconds"])

    def _write_trials(self, target: str) -> None:
        metrics = read_metrics(self._store, target)
        for trial, stages in self._trials[target]:
            key = f"{target}:{trial.label}"
            if key in self._written["trial"]:
                continue
            manifests = [self._store.manifest(each) for each in stages if self._store.has(each)]
            started = min(_milliseconds(each["started"]) for each in manifests)
            ended = max(_milliseconds(each["started"]) + 1000 * each["seconds"] for each in manifests)
            numbers = {**trial.facts, **metrics, "seconds": sum(each["seconds"] for each in manifests)}
            tags = {f"sweeper.row.{name}": str(value) for name, value in trial.row.items()}
            if trial.class_order_seed is not None:
                tags["sweeper.class_order_seed"] = str(trial.class_order_seed)
            tags |= {"sweeper.seed": str(trial.seed), "sweeper.stages": " ".join(each[:12] for each in stages)}
            self._write(
                "trial", key, trial.label, flat_config(trial.config), list(_metrics(numbers, started)),
                started, (ended - started) / 1000, tags, sorted(self._store.path(target).glob("*.png")),
            )  # fmt: skip

    def _write_failure(self, kind: str, key: str, name: str, cause: str) -> None:
        if (key, cause[:5000]) in self._failures:  # once, however often the same command was said
            return
        tags = _tags(kind, key, self._parent) | {"sweeper.cause": cause[:5000]}
        run = self._client.create_run(self._experiment, run_name=name, tags=tags)
        self._client.set_terminated(run.info.run_id, "FAILED")

    def _write(
        self,
        kind: str,
        key: str,
        name: str,
        params: Mapping[str, Any],
        metrics: list[Metric],
        start: int,
        seconds: float,
        tags: Mapping[str, str] | None = None,
        pictures: Sequence[Path] = (),
    ) -> None:
        run = self._client.create_run(
            self._experiment,
            start_time=start,
            run_name=name,
            tags=_tags(kind, key, self._parent) | {"sweeper.store": str(self._store.root)},
        )
        run_id = run.info.run_id
        self._client.log_batch(
            run_id, metrics[:BATCH], [Param(name, str(value)) for name, value in params.items()],
            [RunTag(name, value[:5000]) for name, value in (tags or {}).items()],
        )  # fmt: skip
        for first in range(BATCH, len(metrics), BATCH):
            self._client.log_batch(run_id, metrics[first : first + BATCH])
        for picture in pictures:
            self._client.log_artifact(run_id, str(picture))
        self._client.set_terminated(run_id, "FINISHED", end_time=int(start + 1000 * seconds))
        self._written[kind][key] = run_id

    def _guard(self, write: Callable[[], None]) -> None:
        """Write, unless tracking is broken: a server that goes away must not take the sweep with it."""
        if self.broken:
            return
        try:
            write()
        except Damaged:
            return
        except (MlflowException, OSError) as error:
            self.broken = first_line(error)


def _metrics(numbers: Mapping[str, Any], stamp: int) -> Iterator[Metric]:
    """Numbers as metrics, lists of numbers as stepped ones; deeper lists stay in the results."""
    for name, value in numbers.items():
        if isinstance(value, int | float):
            yield Metric(name, float(value), stamp, 0)
        elif isinstance(value, list) and all(isinstance(each, int | float) for each in value):
            yield from (Metric(name, float(each), stamp, step) for step, each in enumerate(value, 1))


def _tags(kind: str, key: str, parent: str | None) -> dict[str, str]:
    tags = {"sweeper.kind": kind, "sweeper.key": key}
    return tags | {"mlflow.parentRunId": parent} if parent else tags


def _milliseconds(stamp: str) -> int:
    return int(datetime.fromisoformat(stamp).timestamp() * 1000)
