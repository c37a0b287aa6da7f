"""The content of a sweep's runs in MLflow.

A stage's run has the stage's parameters and learning curve. A trial's run has as parameters only what differs within
the sweep, so that a comparison shows what matters; all of its config, numbers and stages stand in its ``trial.json``.
The sweep's run has ``trials.parquet``, all trials as they are before they are run: which there should be.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mlflow.entities import Metric

from sweeper.planning.cost import costs
from sweeper.planning.graph import Plan
from sweeper.planning.text import stage_name
from sweeper.records.extras import SHOWN
from sweeper.records.writer import flat_config, read_metrics, started_row
from sweeper.space.space import Space, Trial
from sweeper.store.base import CURVE, Store
from sweeper.trainable.provenance import repository
from sweeper.trainable.stage import Stage

TRIAL = "trial.json"
SAVED = "seconds_saved"
"""The one cost of a trial that depends on the others."""


@dataclass(frozen=True)
class Content:
    """The content of a finished run."""

    name: str
    params: Mapping[str, str]
    metrics: Sequence[Metric]
    start: int
    """Milliseconds since 1970."""
    seconds: float
    texts: Mapping[str, str] = field(default_factory=dict)
    """Artifacts by name, beside the files."""
    files: Mapping[str, bytes] = field(default_factory=dict)


def differing(space: Space) -> set[str]:
    """Return the names of trials' parameters: rows, seeds, and whatever differs between configs."""
    names = {*space.repeated, *space.design}
    first = flat_config(space.trials[0].config) if space.trials else {}
    for trial in space.trials:
        names |= {name for name, value in flat_config(trial.config).items() if value != first[name]}
    return names


def parameters(trial: Trial, names: Iterable[str]) -> dict[str, str]:
    """Return the trial's values of these names."""
    values = {**trial.row, **flat_config(trial.config)}
    return {name: str(values[name]) for name in sorted(names) if name in values}


def stage_content(node: Stage, manifest: Mapping[str, Any], store: Store) -> Content:
    """Return the run of a finished stage."""
    curve = json.loads(store.read_verified(node.key, manifest, CURVE) or "{}")
    steps = [int(step) for step in curve.pop("step", [])]
    stamp, seconds = _milliseconds(manifest["started"]), manifest["seconds"]
    metrics = [
        Metric(name, value, stamp, step)
        for name, values in curve.items()
        for step, value in zip(steps, values, strict=True)
    ]
    metrics.append(Metric("seconds", seconds, stamp, 0))
    if steps:
        metrics.append(Metric("steps_per_second", steps[-1] / max(seconds, 1e-3), stamp, 0))
    params = {name: str(value) for name, value in manifest["params"].items() if not isinstance(value, dict | list)}
    params |= {name: str(manifest[name]) for name in ("stage", "version", "device", "cpus", "machine", "commit")}
    return Content(stage_name(node.function.label, node.params), params, metrics, stamp, seconds)


def trial_content(
    space: Space, trial: Trial, stages: Mapping[str, Stage], params: Mapping[str, str], store: Store
) -> Content:
    """Return the run of a finished trial, over the time of its stages. Raises Damaged.

    Args:
        space: the sweep.
        trial: its config and facts.
        stages: all its stages by key, the last one at the end.
        params: what differs within the sweep.
        store: where its artifacts are.
    """
    target = list(stages.values())[-1]
    metrics = read_metrics(store, target.key)
    manifests = store.manifests(stages)
    started = min(_milliseconds(each["started"]) for each in manifests.values())
    ended = max(_milliseconds(each["started"]) + 1000 * each["seconds"] for each in manifests.values())
    spent = next(costs(space.trainable, [stages], manifests))
    del spent[SAVED]
    judged = {name: metrics[name] for name in space.table.columns if name in metrics and _is_judged(space, name)}
    told = {
        "trial": trial.label,
        "config": trial.config.model_dump(mode="json"),
        "facts": dict(trial.facts),
        "metrics": metrics,
        "costs": spent,
        "stages": {key: manifest["seconds"] for key, manifest in manifests.items()},
    }
    return Content(
        name=trial.label,
        params=params,
        metrics=list(_metrics({**judged, **metrics, **trial.facts, **spent}, started)),
        start=started,
        seconds=(ended - started) / 1000,
        texts={TRIAL: _text(told)},
        files=_shown(store, target.key, manifests[target.key]),
    )


def _shown(store: Store, key: str, manifest: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the intact measures and pictures of an artifact."""
    names = [name for name in sorted(manifest["files"]) if name.endswith(SHOWN)]
    contents = zip(names, store.read_files((key, manifest, name) for name in names), strict=True)
    return {name: content for name, content in contents if content is not None}


def started_rows(plan: Plan) -> list[dict[str, Any]]:
    """Return the rows of the results before anything has run."""
    unknown = dict.fromkeys(plan.space.trainable.costs)
    return [
        {
            **started_row(plan.space, trial),
            **unknown,
            "target": target.key,
            "stages": list(stages),
            "commit": repository(plan.space.trainable.module).commit,
        }
        for (trial, target), stages in zip(plan.pairs(), plan.per_trial, strict=True)
    ]


def _is_judged(space: Space, metric: str) -> bool:
    """Check whether a metric has a better direction. Such a metric is written first: the UI draws the first one."""
    number = space.trainable.metrics.get(metric)
    return number is not None and number.better is not None


def _metrics(numbers: Mapping[str, Any], stamp: int) -> Iterator[Metric]:
    """Turn numbers into metrics and lists of numbers into stepped ones; deeper lists are only in the file."""
    for name, value in numbers.items():
        if isinstance(value, int | float):
            yield Metric(name, float(value), stamp, 0)
        elif isinstance(value, list) and all(isinstance(each, int | float) for each in value):
            yield from (Metric(name, float(each), stamp, step) for step, each in enumerate(value, 1))


def _text(value: Any, indent: str = "") -> str:
    """Return JSON with a line per value of an object, and lists in one line."""
    if not isinstance(value, dict) or not value:
        return json.dumps(value, ensure_ascii=False)
    inner = [f"{indent} {json.dumps(name)}: {_text(each, indent + ' ')}" for name, each in value.items()]
    return "\n".join(["{", ",\n".join(inner), f"{indent}}}"])


def _milliseconds(stamp: str) -> int:
    return int(datetime.fromisoformat(stamp).timestamp() * 1000)
