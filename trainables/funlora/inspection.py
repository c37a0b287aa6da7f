"""Inspect adapters and write Arrow tables: importance and rank of every layer, ponderations and frequencies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from torch import Tensor

from sweeper import StageRun, stage
from trainables.common.flow.generator import load_adapter
from trainables.common.nets.settings import Backbone
from trainables.common.nets.unet import conv_layers, skeleton
from trainables.common.peft.functions import initial_frequencies, initial_ponderations
from trainables.common.peft.low_rank import low_rank_matrix
from trainables.common.peft.method import by_layer
from trainables.common.peft.settings import LowRank


@dataclass(frozen=True)
class _AdaptedLayer:
    """One layer of one class: where it is, what was learned for it, by name, and the shape of its kernel."""

    place: dict[str, Any]
    settings: LowRank
    learned: dict[str, Tensor]
    c_out: int
    c_in: int


@stage(name="funlora.layer_importance", version=2, part="measures")
def layer_importance(run: StageRun, adapters: tuple[Path, ...], backbone: Backbone) -> None:
    """Measure how far the multiplicative adapters of each layer have moved from one (equations 20-21).

    Writes ``importance.arrow``, a row per class and layer: ``importance``, the mean of |A - 1| and |B - 1| over all
    entries of the column of A and the row of B that start at one; those of further ranks do not.
    """
    rows = []
    for layer in _layers(adapters, backbone):
        moved = (torch.cat([layer.learned["A"][:, 0], layer.learned["B"][0]]) - 1).abs()
        rows.append({**layer.place, "importance": float(moved.mean())})
    _write(run.output / "importance.arrow", rows, importance=pa.float64())


@stage(name="funlora.matrix_ranks", version=2, part="measures", reports=("max_rank",))
def matrix_ranks(run: StageRun, adapters: tuple[Path, ...], backbone: Backbone) -> None:
    """Count the numerical rank of F in every layer: singular values, computed in float64, above
    max(c_out, c_in) x 1.2e-7 (float32's epsilon) x the largest one.

    Writes ``ranks.arrow``, a row per class and layer, and ``metrics.json`` with ``max_rank``.
    """
    rows = []
    for layer in _layers(adapters, backbone):
        learned = {name: value.double() for name, value in layer.learned.items()}
        matrix = low_rank_matrix(layer.settings, learned, layer.c_out, layer.c_in)
        tolerance = max(matrix.shape) * torch.finfo(torch.float32).eps
        rows.append({**layer.place, "rank": int(torch.linalg.matrix_rank(matrix, rtol=tolerance))})
    _write(run.output / "ranks.arrow", rows, rank=pa.int64())
    (run.output / "metrics.json").write_text(json.dumps({"max_rank": max(row["rank"] for row in rows)}))


@stage(name="funlora.learned_functions", version=2, part="measures")
def learned_functions(run: StageRun, adapters: tuple[Path, ...], backbone: Backbone) -> None:
    """List ponderations and frequencies beside their initial values.

    Writes ``functions.arrow``, a row per class, layer and function: ``function`` from 1, ``lambda``, ``omega`` (null
    for shifts), ``initial_lambda``, ``initial_omega``.
    """
    rows = []
    for layer in _layers(adapters, backbone):
        settings = layer.settings
        omega = initial_frequencies(settings.p)
        first = initial_ponderations(settings.functions, settings.p, float(settings.operation == "mul"))
        now = layer.learned.get("omega", omega)
        for i in range(settings.p):
            shifts = settings.functions == "rshift"
            rows.append(
                {
                    **layer.place,
                    "function": i + 1,
                    "lambda": float(layer.learned["lambda"][i]),
                    "omega": None if shifts else float(now[i]),
                    "initial_lambda": float(first[i]),
                    "initial_omega": None if shifts else float(omega[i]),
                }
            )
    numbers = dict.fromkeys(("lambda", "omega", "initial_lambda", "initial_omega"), pa.float64())
    _write(run.output / "functions.arrow", rows, function=pa.int64(), **numbers)


def _layers(adapters: tuple[Path, ...], backbone: Backbone) -> Iterator[_AdaptedLayer]:
    """Yield every adapted layer of every class, in registration order."""
    net = skeleton(backbone, 1)
    index = {name: position for position, (name, _) in enumerate(conv_layers(net))}
    for directory in adapters:
        adapter = load_adapter(directory, "cpu")
        learned = by_layer(adapter.learned)
        for name in (name for name, _ in net.named_modules() if name in learned):
            c_out, c_in, *_ = net.get_parameter(f"{name}.weight").shape
            place = {"layer": index.get(name), "name": name, "label": adapter.about.label}
            yield _AdaptedLayer(place, adapter.settings, learned[name], c_out, c_in)


def _write(path: Path, rows: list[dict[str, Any]], **measured: pa.DataType) -> None:
    place = {"layer": pa.int64(), "name": pa.string(), "label": pa.int64()}
    table = pa.Table.from_pylist(rows, pa.schema(place | measured))
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
