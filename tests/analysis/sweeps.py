"""Small results as `sweeper` writes them, made without it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from analysis.results import Results, read_results

UNRUN = {"status": "missing", "cause": "not run yet"}
KILLED = {"status": "failed", "cause": "the loss is nan at step 40 of 600"}
LAYERS = {"0-64": (34054, 88.0), "40-54": (9728, 86.0), "35-54": (13056, 86.5), "45-49": (3328, 70.0)}
"""Row of the layer selection with its PPC and about its last accuracy."""


def number(
    kind: str, better: str | None = None, title: str | None = None, decimals: int = 2, meaning: str = "what it is"
) -> dict[str, Any]:
    return {"kind": kind, "meaning": meaning, "better": better, "title": title, "decimals": decimals}


NUMBERS = {
    "ppc": number("fact", title="PPC", meaning="parameters per class"),
    "parameters": number("fact", title="P#"),
    "la": number("metric", "higher", "LA %", meaning="last accuracy, %"),
    "aia": number("metric", "higher", "AIA %", meaning="average incremental accuracy, %"),
    "forgetting": number("metric", "lower"),
    "fm_loss": number("metric", "lower", "FM loss", 4),
    "nfe": number("metric", title="evaluations"),
    "seconds": number("cost", "lower"),
    "seconds_saved": number("cost", title="seconds saved"),
    "seconds.sampling": number("cost", "lower", "sampling s"),
    "gpu_hours": number("cost", "lower", "GPU-hours"),
    "peak_memory": number("cost", "lower", "peak MiB", 0),
}


def publish(monkeypatch: pytest.MonkeyPatch, name: str, **presets: Mapping[str, Any]) -> None:
    """Let ``paper/NAME`` be the only published table, with these values by preset."""
    papers = {"paper": {name: {"source": "Table II", "presets": presets}}}
    monkeypatch.setattr("analysis.published._papers", lambda: papers)


def write_sweep(directory: Path, trials: Sequence[Mapping[str, Any]], **described: Any) -> Results:
    """Trials as the results of a sweep below ``directory``, described as the layer selection or otherwise."""
    description = {
        "name": "layer_selection",
        "trainable": "funlora",
        "preset": "digits",
        "rows": "adapter.layers",
        "across": None,
        "columns": ["ppc", "la", "aia"],
        "bounds": [],
        "published": None,
        "baseline": {},
        "design": ["adapter.layers"],
        "seeds": ["seed"],
        "numbers": NUMBERS,
        **described,
    }
    path = directory / description["name"] / "trials.parquet"
    path.parent.mkdir(parents=True)
    table = pa.Table.from_pylist(
        [
            {
                "trial": f"trial {index}",
                "status": "finished",
                "cause": None,
                "target": f"{index:064x}",
                "stages": [f"{index:064x}"],
            }
            | dict(row)
            for index, row in enumerate(trials)
        ]
    )
    pq.write_table(table.replace_schema_metadata({b"sweeper.table": json.dumps(description)}), path)
    return read_results(directory, description["name"])


def layer_selection(directory: Path, seeds: int = 3, **described: Any) -> Results:
    """A whole sweep of four layer ranges against 40-54, with stages, curves, measures and pictures beside it."""
    rows = [_trial(layers, ppc, level, seed) for layers, (ppc, level) in LAYERS.items() for seed in range(seeds)]
    shown = {"published": "funlora/layer_selection", "baseline": {"adapter.layers": "40-54"}} | described
    results = write_sweep(directory, rows, **shown)
    place = results.directory
    keys = sorted({key for row in rows for key in row["stages"]})
    pq.write_table(pa.Table.from_pylist([_stage(key, rows) for key in keys]), place / "stages.parquet")
    curves = [
        {"key": key, "metric": "loss", "step": float(step), "value": 1 / step + index / 100}
        for index, key in enumerate(keys)
        for step in range(10, 110, 10)
    ]
    pq.write_table(pa.Table.from_pylist(curves), place / "curves.parquet")
    (place / "measures").mkdir()
    for name in ("importance", "ranks", "functions"):
        pq.write_table(pa.Table.from_pylist(list(_measure(name, rows))), place / "measures" / f"{name}.parquet")
    for row in rows[:2]:
        picture = place / "pictures" / row["target"][:12] / "samples.png"
        picture.parent.mkdir(parents=True)
        Image.effect_noise((64, 40), 90).save(picture)
    return results


def _trial(layers: str, ppc: int, level: float, seed: int) -> dict[str, Any]:
    jitter = [0.0, 0.75, -0.5, 0.25, 1.0, -1.25][seed % 6] + (len(layers) + ppc % 7) * 0.1 * (-1) ** seed
    accuracy = [99.0, 95.0 + jitter, level + jitter]
    matrix = [[99.0], [97.0, 93.0 + jitter], [level - 5, level + jitter, level + 5 + jitter]]
    own = (f"{ppc * 10 + seed:012x}" * 6)[:64]  # its beginning names its pictures
    return {
        "trial": f"{layers} · seed {seed}",
        "status": "finished",
        "cause": None,
        "adapter.layers": layers,
        "seed": seed,
        "adapter.functions": "cosine_learned",
        "base.iterations": 600,
        "ppc": ppc,
        "parameters": 35_000_000 + 9 * ppc,
        "la": accuracy[-1],
        "aia": sum(accuracy) / 3,
        "forgetting": 92 - level,
        "fm_loss": 0.5 - level / 1000 + seed / 500,
        "nfe": 6.0,
        "accuracy": accuracy,
        "accuracy_matrix": matrix,
        "held_out": [50, 50, 50],
        "seconds": 20.0 + ppc / 1000 + seed,
        "seconds_saved": 12.0 if seed else 0.0,
        "gpu_hours": 0.0,
        "peak_memory": 420.0 + seed,
        "seconds.sampling": 3.0 + seed,
        "target": own,
        "stages": [f"{1000 + seed:064x}", own],
        "commit": "0123456789abcdef",
    }


def _stage(key: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    trials = sum(key in row["stages"] for row in rows)
    stage = "train_base" if trials > 1 else "score"
    return {
        "key": key,
        "name": f"{stage} seed={int(key, 16) % 10}",
        "stage": stage,
        "part": "training",
        "trials": trials,
        "sweep": "layer_selection",
        "started": "2026-03-01T12:00:00+00:00",
        "seconds": 12.0 if trials > 1 else 8.0,
        "machine": "here",
        "device": "cpu",
        "cpus": 1,
        "gpus": 0.0,
        "peak_memory": 420 * 2**20,
        "commit": "0123456789abcdef",
        "source": "fedcba",
        "packages": json.dumps({"python": "3.11.7", "torch": "2.13.0"}),
    }


def _measure(name: str, rows: Sequence[Mapping[str, Any]]) -> Any:
    for row in rows:
        first, last = map(int, row["adapter.layers"].split("-"))
        for layer in range(first, last + 1, 3):
            for label in (2, 3):
                place = {"trial": row["trial"], "layer": layer, "name": f"block.{layer}", "label": label}
                if name == "importance":
                    yield place | {"importance": 0.02 + layer / 2000 + label / 200}
                elif name == "ranks":
                    yield place | {"rank": 1 + (layer + label) % 10}
                else:
                    for function in (1, 2, 3):
                        yield place | {
                            "function": function,
                            "lambda": 1.0 + layer / 100 + label / 50,
                            "omega": function + 0.125 * label,
                            "initial_lambda": 1.0,
                            "initial_omega": float(function),
                        }
