"""Write trials as Parquet: a row per trial, with everything a table needs and its provenance."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel

from analysis.contract import TABLE_METADATA, TRIALS
from sweeper.planning.cost import costs
from sweeper.planning.graph import Graph, Plan
from sweeper.space.space import Space, Trial
from sweeper.store.base import Damaged, Store
from sweeper.store.failures import Failure
from sweeper.trainable.number import Number
from sweeper.trainable.provenance import repository

METRICS = "metrics.json"
DAMAGED = {"status": "missing", "cause": "its result is damaged; run the same command again to recompute it"}
Manifests: TypeAlias = Mapping[str, Mapping[str, Any]]


def read_metrics(store: Store, key: str) -> dict[str, Any]:
    """Read the numbers that a trial's last stage wrote. Raises Damaged."""
    (metrics,) = metrics_of(store, {key: store.manifest(key)}, [key])
    if metrics is None:
        raise Damaged(key)
    return metrics


def metrics_of(store: Store, manifests: Manifests, keys: Sequence[str]) -> list[dict[str, Any] | None]:
    """Read the numbers of trials whose last stages are done, in order; None for a file that fails its checksum."""
    contents = store.read_files((key, manifests[key], METRICS) for key in keys)
    return [None if content is None else json.loads(content) for content in contents]


def flat_config(config: BaseModel) -> dict[str, Any]:
    """Return a config's values by dotted name."""

    def walk(values: Mapping[str, Any], prefix: str) -> dict[str, Any]:
        flat: dict[str, Any] = {}
        for name, value in values.items():
            flat |= walk(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
        return flat

    return walk(config.model_dump(mode="json"), "")


def failed_targets(graph: Graph, store: Store) -> set[str]:
    """Return the keys of the last stages of trials that have failed and are not done since."""
    failures = store.failures.all().keys()
    done = store.existing({target.key for target in graph.targets})
    return {
        target.key
        for plan in graph.plans
        for target, stages in zip(plan.targets, plan.per_trial, strict=True)
        if target.key not in done and not failures.isdisjoint(stages)
    }


def write_results(plan: Plan, store: Store, manifests: Manifests, directory: Path) -> Path:
    """Write ``trials.parquet`` into the sweep's directory, in one step, and return its path.

    Every metric that the trainable declares is a column; null where a run has not measured it.

    Args:
        plan: the sweep.
        store: where its artifacts are, and why others are not.
        manifests: of its stages that are done, by key.
        directory: below which every sweep has a directory of its name.
    """
    failures = store.failures.all()
    rows = []
    done = [target.key for target in plan.targets if target.key in manifests]
    metrics = dict(zip(done, metrics_of(store, manifests, done), strict=True))
    commit = repository(plan.space.trainable.module).commit
    spent = costs(plan.space.trainable, plan.per_trial, manifests)
    for (trial, target), stages, cost in zip(plan.pairs(), plan.per_trial, spent, strict=True):
        row = {**started_row(plan.space, trial), "status": "finished", "cause": None}
        measured = metrics[target.key] if target.key in metrics else _unfinished(stages, failures)
        row |= DAMAGED if measured is None else measured
        if row["status"] != "finished" and target.key in plan.pruned:
            row |= {"status": "pruned", "cause": plan.pruned[target.key]}
        row |= cost
        row |= {"target": target.key, "stages": list(stages), "commit": commit}
        rows.append(row)
    return write_trials(rows, described(plan.space, metrics.values()), directory)


def forget_results(plan: Plan, directory: Path) -> None:
    """Remove the results of another search by the same name: this one has no trials yet."""
    shutil.rmtree(directory / plan.space.name, ignore_errors=True)


def started_row(space: Space, trial: Trial) -> dict[str, Any]:
    """Return the row of a trial before it has run: its config, its facts, and every metric null."""
    row: dict[str, Any] = {"trial": trial.label, "status": "missing", "cause": "not run yet"}
    return row | {**trial.row, **flat_config(trial.config), **trial.facts, **dict.fromkeys(space.trainable.metrics)}


def described(space: Space, measured: Iterable[Mapping[str, Any] | None] = ()) -> dict[str, Any]:
    """Describe a space for tables and figures, as JSON in the results' metadata.

    Args:
        space: the space.
        measured: numbers of its runs, which are all that is known of metrics that its trainable does not declare.
    """
    trainable = space.trainable
    metrics = trainable.metrics if trainable.declares_metrics else _undeclared(measured)
    kinds = {"fact": trainable.known, "metric": metrics, "cost": trainable.costs}
    return {
        "name": space.name,
        "trainable": trainable.name,
        "preset": space.preset,
        "baseline": dict(space.baseline),
        "design": list(space.design),
        "seeds": list(space.repeated),
        "numbers": {
            name: {"kind": kind, **asdict(number)}
            for kind, numbers in kinds.items()
            for name, number in numbers.items()
        },
        **space.table.model_dump(),
    }


def write_trials(rows: Sequence[Mapping[str, Any]], description: Mapping[str, Any], directory: Path) -> Path:
    """Write the rows of a sweep, in one step, below its name, and return the file's path."""
    names = {name: None for row in rows for name in row}
    table = pa.Table.from_pylist([{name: row.get(name) for name in names} for row in rows])
    path = directory / str(description["name"]) / TRIALS
    write_table(table.replace_schema_metadata({TABLE_METADATA: json.dumps(description)}), path)
    return path


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table in one step: a reader sees the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".new")
    try:
        with aside.open("wb") as file:  # which a full disk would leave open, were it opened by its name
            pq.write_table(table, file, write_page_checksum=True)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
    aside.replace(path)


def _undeclared(measured: Iterable[Mapping[str, Any] | None]) -> dict[str, Number]:
    values = {name: value for each in measured for name, value in (each or {}).items()}
    return {name: Number(name) for name, value in values.items() if isinstance(value, int | float)}


def _unfinished(stages: Iterable[str], failures: Mapping[str, Failure]) -> dict[str, str]:
    failure = next((failures[key] for key in stages if key in failures), None)
    if failure is None:
        return {"status": "missing", "cause": "not run yet"}
    return {"status": "failed", "cause": failure.cause}
