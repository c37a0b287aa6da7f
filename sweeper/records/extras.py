"""Write what does not fit into a trial's row, as Parquet beside it: stages, learning curves, measures, pictures.

results/NAME/trials.parquet            a row per trial, see `sweeper.records.writer`
results/NAME/stages.parquet            a row per stage that is done, and of how many trials it is
results/NAME/curves.parquet            what stages logged by step, thinned to 200 points
results/NAME/measures/MEASURE.parquet  what the trials' last stages hold as MEASURE.arrow, with the trial's label
results/NAME/pictures/TARGET/*.png     the pictures of the trials' last stages, by the start of the stage's key
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from analysis import contract
from sweeper.planning.graph import Plan
from sweeper.planning.text import stage_name
from sweeper.records.writer import Manifests, write_table
from sweeper.store.base import CURVE, Store

POINTS = 200
"""Points kept of a curve: each is the mean of the steps since the last one."""
SHOWN = (".png", ".arrow")
"""Suffixes of a last stage's files that are kept beside its trial's numbers."""
STAGES = pa.schema(
    [
        ("key", pa.string()),
        ("name", pa.string()),
        ("stage", pa.string()),
        ("part", pa.string()),
        ("trials", pa.int64()),
        ("sweep", pa.string()),
        ("started", pa.string()),
        ("seconds", pa.float64()),
        ("machine", pa.string()),
        ("device", pa.string()),
        ("cpus", pa.int64()),
        ("gpus", pa.float64()),
        ("peak_memory", pa.int64()),
        ("commit", pa.string()),
        ("diff", pa.string()),
        ("source", pa.string()),
        ("packages", pa.string()),
        ("sweeper", pa.string()),
    ]
)
"""``name`` has the plain parameters, ``stage`` is the function; ``peak_memory`` is in bytes, ``packages`` in JSON."""
CURVES = pa.schema([("key", pa.string()), ("metric", pa.string()), ("step", pa.float64()), ("value", pa.float64())])


@dataclass(frozen=True)
class TrialFile:
    """A picture or a measure of a trial's last stage."""

    trial: str
    target: str
    name: str
    content: bytes


def write_measures(plan: Plan, store: Store, manifests: Manifests, directory: Path) -> None:
    """Write all that stands beside ``trials.parquet``, each file in one step.

    Args:
        plan: the sweep.
        store: where its artifacts are.
        manifests: of its stages that are done, by key.
        directory: below which every sweep has a directory of its name.
    """
    place = directory / plan.space.name
    write_table(pa.Table.from_pylist(list(_stages(plan, manifests)), STAGES), place / contract.STAGES)
    write_table(_curves(plan, store, manifests), place / contract.CURVES)
    write_files(_files(plan, store, manifests), place)


def forget_measures(plan: Plan, directory: Path) -> None:
    """Remove the measures of earlier trials: they know these by label alone, which others may have by now."""
    shutil.rmtree(directory / plan.space.name / contract.MEASURES, ignore_errors=True)


def write_files(files: Iterable[TrialFile], place: Path) -> None:
    """Write trials' measures and pictures into their sweep's directory, in place of all that are there."""
    for earlier in (contract.MEASURES, contract.PICTURES):
        shutil.rmtree(place / earlier, ignore_errors=True)
    measures: dict[str, list[pa.Table]] = {}
    for file in files:
        if file.name.endswith(".arrow"):
            table = pa.ipc.open_file(file.content).read_all()
            labels = pa.array([file.trial] * len(table), pa.string())
            measures.setdefault(Path(file.name).stem, []).append(table.add_column(0, "trial", labels))
        elif file.name.endswith(".png"):
            copy = place / contract.PICTURES / file.target[: contract.KEY_PREFIX] / file.name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.content)
    for name, tables in measures.items():
        whole = pa.concat_tables(tables, promote_options="permissive")
        write_table(whole, place / contract.MEASURES / f"{name}.parquet")


def _stages(plan: Plan, manifests: Manifests) -> Iterator[dict[str, Any]]:
    trials = Counter(key for stages in plan.per_trial for key in stages)
    for key, node in plan.stages.items():
        if manifest := manifests.get(key):
            row = {name: manifest.get(name) for name in STAGES.names}
            label = node.function.label
            yield row | {
                "key": key,
                "name": stage_name(label, node.params),
                "stage": label,
                "part": node.function.part,
                "trials": trials[key],
                "packages": json.dumps(manifest["packages"]),
            }


def _curves(plan: Plan, store: Store, manifests: Manifests) -> pa.Table:
    columns: dict[str, list[Any]] = {name: [] for name in CURVES.names}
    logged = [key for key in plan.stages if CURVE in manifests.get(key, {"files": ()})["files"]]
    contents = store.read_files((key, manifests[key], CURVE) for key in logged)
    for key, written in zip(logged, contents, strict=True):
        if written is None:
            continue
        curve = json.loads(written)
        steps = _thinned(curve.pop("step", []))
        for metric, values in curve.items():
            columns["key"] += [key] * len(steps)
            columns["metric"] += [metric] * len(steps)
            columns["step"] += steps
            columns["value"] += _thinned(values)
    return pa.table(columns, CURVES)


def _thinned(values: list[float]) -> list[float]:
    """Return at most `POINTS` means of as many neighbours each."""
    count = -(-len(values) // POINTS)
    parts = [values[first : first + count] for first in range(0, len(values), max(count, 1))]
    return [sum(part) / len(part) for part in parts]


def _files(plan: Plan, store: Store, manifests: Manifests) -> Iterator[TrialFile]:
    """Yield the intact measures and pictures of the trials' last stages."""
    named = [
        (trial.label, target.key, name)
        for trial, target in plan.pairs()
        for name in sorted(manifests.get(target.key, {"files": ()})["files"])
        if name.endswith(SHOWN)
    ]
    contents = store.read_files((key, manifests[key], name) for _, key, name in named)
    for (label, key, name), content in zip(named, contents, strict=True):
        if content is not None:
            yield TrialFile(label, key, name, content)
