"""Finished trials as Parquet: a row per trial, everything a table needs and where it came from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel

from sweeper import provenance
from sweeper.cost import costs
from sweeper.failures import Failure
from sweeper.plan import Graph, Plan
from sweeper.store import Damaged, Store

METRICS = "metrics.json"
TABLE_METADATA = b"sweeper.table"


def read_metrics(store: Store, key: str) -> dict[str, Any]:
    """The numbers that a trial's last stage wrote. Raises Damaged."""
    metrics: dict[str, Any] = json.loads((store.open(key) / METRICS).read_text())
    return metrics


def flat_config(config: BaseModel) -> dict[str, Any]:
    """A config's values by dotted name."""

    def walk(values: Mapping[str, Any], prefix: str) -> dict[str, Any]:
        flat: dict[str, Any] = {}
        for name, value in values.items():
            flat |= walk(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
        return flat

    return walk(config.model_dump(mode="json"), "")


def failed_targets(graph: Graph, store: Store) -> set[str]:
    """Keys of the last stages of the trials that have failed and are not done since."""
    failures = store.failures.all().keys()
    return {
        target.key
        for plan in graph.plans
        for target, stages in zip(plan.targets, plan.per_trial, strict=True)
        if not store.has(target.key) and not failures.isdisjoint(stages)
    }


def write_results(plan: Plan, store: Store, directory: Path) -> Path:
    """Write ``trials.parquet`` into the sweep's directory, in one step, and return its path.

    Every metric that the trainable declares is a column; null where a run has not measured it.

    Args:
        plan: the sweep.
        store: where its artifacts are, and why others are not.
        directory: below which every sweep has a directory of its name.
    """
    seconds = {key: manifest["seconds"] for key, manifest in store.manifests(plan.stages).items()}
    failures = store.failures.all()
    rows = []
    for (trial, target), stages, cost in zip(plan.trials(), plan.per_trial, costs(plan, seconds), strict=True):
        row: dict[str, Any] = {"trial": trial.label, "status": "finished", "cause": None}
        row |= {**trial.row, **flat_config(trial.config), **trial.facts, **dict.fromkeys(plan.space.trainable.metrics)}
        try:
            row |= read_metrics(store, target.key) if store.has(target.key) else _unfinished(stages, failures)
        except Damaged:
            row |= {"status": "missing", "cause": "its result is damaged; the same command makes it again"}
        row |= cost
        row |= {"target": target.key, "stages": list(stages), "commit": provenance.commit()}
        rows.append(row)
    names = {name: None for row in rows for name in row}
    table = pa.Table.from_pylist([{name: row.get(name) for name in names} for row in rows])
    space = plan.space
    described = {"name": space.name, "trainable": space.trainable.name, "baseline": space.baseline}
    described |= space.table.model_dump()
    table = table.replace_schema_metadata({TABLE_METADATA: json.dumps(described)})
    path = directory / plan.space.name / "trials.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".new")
    pq.write_table(table, aside, write_page_checksum=True)
    aside.replace(path)
    return path


def _unfinished(stages: Iterable[str], failures: Mapping[str, Failure]) -> dict[str, str]:
    failure = next((failures[key] for key in stages if key in failures), None)
    if failure is None:
        return {"status": "missing", "cause": "not run yet"}
    return {"status": "failed", "cause": failure.cause}
