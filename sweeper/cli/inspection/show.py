"""Format one trial as text and JSON: config, numbers, stages, provenance, its run in MLflow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sweeper.cli.inspection.details import Details, label, module_of
from sweeper.planning.text import aligned, shown
from sweeper.records.layout import RunsDirectory
from sweeper.records.sweep import tracked_at
from sweeper.trainable.source import source_hash


def trial_json(details: Details, runs: Path) -> dict[str, Any]:
    """Return the content of `trial_text`, as ``sweeper show --json`` prints it."""
    trial = details.trial
    return {
        "sweep": trial.space,
        "trial": trial.label,
        "key": trial.target,
        "status": details.status,
        "cause": trial.cause if details.status != "finished" else None,
        "config": dict(details.config),
        "differ": details.differ,
        "facts": dict(details.facts),
        "metrics": dict(details.metrics),
        "seconds": details.seconds,
        "seconds_by_function": details.seconds_by_function,
        "stages": [_stage(key, manifest) for key, manifest in details.manifests.items()],
        "mlflow": {"uri": tracked_at(runs, trial.space), "experiment": trial.space, "run": trial.label},
    }


def trial_text(details: Details, runs: Path) -> str:
    """Format everything for a terminal."""
    trial = details.trial
    cause = f": {trial.cause}" if details.status != "finished" and trial.cause else ""
    head = [("sweep", trial.space), ("trial", trial.label), ("key", trial.target), ("status", details.status + cause)]
    rest = [name for name in details.config if name not in details.differ]
    return "\n".join(
        [
            *aligned(head),
            *_values("config that differs within the sweep", {name: details.config[name] for name in details.differ}),
            *_values("config", {name: details.config[name] for name in rest}),
            *_values("facts", details.facts),
            *_values("metrics", details.metrics),
            *_stages(details),
            *_seconds(details),
            *_origins(details),
            *_mlflow(details, runs),
        ]
    )


def _values(title: str, values: Mapping[str, Any]) -> list[str]:
    rows = [(name, line) for name, value in values.items() for line in _lines(value)]
    named = [("" if index and rows[index - 1][0] == name else name, line) for index, (name, line) in enumerate(rows)]
    return ["", title, *aligned(named, indent="  ")] if rows else []


def _lines(value: Any) -> Iterable[str]:
    nested = isinstance(value, list) and bool(value) and isinstance(value[0], list)
    return [shown(each) for each in value] if nested else [shown(value)]


def _stages(details: Details) -> list[str]:
    rows = [("key", "stage", "seconds", "state", "device", "cpus", "machine")]
    for key, each in details.manifests.items():
        if each:
            where = (each["device"], str(each["cpus"]), each["machine"])
            rows.append((key[:12], _name(each, details), f"{each['seconds']:.3f}", "cached", *where))
        else:
            rows.append((key[:12], "", "", "missing", "", "", ""))
    return ["", f"stages: {len(details.made)} of {len(rows) - 1}", *aligned(rows, right=(2, 5), indent="  ")]


def _name(manifest: Mapping[str, Any], details: Details) -> str:
    """Return the function with the parameters that distinguish the stage from the trial's others of it."""
    others = [each["params"] for each in details.made if each["stage"] == manifest["stage"]]
    plain = {name: value for name, value in manifest["params"].items() if isinstance(value, int | str)}
    telling = [name for name in plain if any(other.get(name) != plain[name] for other in others)]
    return " ".join([label(manifest), *(f"{name}={plain[name]}" for name in telling)])


def _seconds(details: Details) -> list[str]:
    if not details.made:
        return []
    count = Counter(map(label, details.made))
    rows = [(name, f"x{count[name]}", f"{each:.3f}") for name, each in details.seconds_by_function.items()]
    total = ("all", f"x{len(details.made)}", f"{details.seconds:.3f}")
    return ["", "seconds by stage function", *aligned([*rows, total], right=(1, 2), indent="  ")]


def _origins(details: Details) -> list[str]:
    if not details.made:
        return []
    changed = Counter(label(each) for each in details.made if each["source"] != source_hash(module_of(each)))
    source = f"other code than now: {_counts(changed)}" if changed else "the code is the same now"
    packages = [(name, _counts(versions)) for name, versions in details.packages.items()]
    commits = Counter(commit.replace("+", ", with changes") for commit in details.counted("commit").elements())
    version = ("sweeper", _counts(details.counted("sweeper")))
    rows = [("commit", _counts(commits)), ("source", source), version, *packages]
    return ["", "made by", *aligned(rows, indent="  ")]


def _counts(counts: Counter[str]) -> str:
    """Format one value alone, and several with the number of stages of each."""
    return next(iter(counts)) if len(counts) == 1 else ", ".join(f"{value} ({n})" for value, n in counts.items())


def _mlflow(details: Details, runs: Path) -> list[str]:
    trial, uri = details.trial, tracked_at(runs, details.trial.space)
    if uri is None:
        return ["", "MLflow", "  not recorded"]
    suffix = "" if runs == Path("runs") else f" --runs {runs}"
    look = f"sweeper ui{suffix}" if uri == RunsDirectory(runs).tracking_uri else uri
    rows = [("experiment", trial.space), ("run", trial.label), ("uri", uri), ("look", look)]
    return ["", "MLflow", *aligned(rows, indent="  ")]


def _stage(key: str, manifest: Mapping[str, Any] | None) -> dict[str, Any]:
    if manifest is None:
        return {"key": key, "state": "missing"}
    made_by = ("commit", "diff", "source", "packages", "sweeper")
    names = ("stage", "function", "params", "seconds", "started", "device", "cpus", "machine", *made_by)
    return {"key": key, "state": "cached", **{name: manifest.get(name) for name in names}}
