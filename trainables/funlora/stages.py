"""The stages of a generative continual run: base, adapters, samples, scores."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.optim.lr_scheduler import LinearLR

from sweeper.stage import StageRun, stage
from trainables.flow import VectorField, flow_matching_loss
from trainables.funlora.config import AdapterTraining
from trainables.funlora.rank_one import chosen_layers, class_field, merged_weights, rank_one
from trainables.images import read_images, to_bytes, to_unit, write_images
from trainables.settings import Backbone, FlowTraining, Solver
from trainables.solver import expected_evaluations, integrate
from trainables.streams import stream_seed
from trainables.training import Ema, train
from trainables.unet import UNet

TaskStream: TypeAlias = tuple[tuple[int, ...], ...]

TRAINING_WORK = 3.0
"""Cost of an image in a training step beside that of one evaluation: forward and backward."""


@stage(
    version=1,
    gpus=0.5,
    work=lambda training, **_: TRAINING_WORK * training.iterations * training.batch,
)
def train_base(
    run: StageRun, images: Path, backbone: Backbone, classes: tuple[int, ...], training: FlowTraining, seed: int
) -> None:
    """The U-Net trained from scratch on the real images of the first task's classes.

    Writes ``base.safetensors``, the moving average; row i of the class embedding belongs to ``classes[i]``.
    """
    torch.manual_seed(stream_seed(seed, "base"))
    pixels, labels = read_images(images / "train.arrow")
    rows = torch.stack([labels == label for label in classes], dim=1)
    pixels, row = pixels[rows.any(1)].to(run.device), rows[rows.any(1)].int().argmax(1).to(run.device)
    net = UNet(backbone, len(classes)).to(run.device)
    values = dict(net.named_parameters())
    average = _train_flow(run, net, pixels, row, values, training)
    save_file(average, run.output / "base.safetensors")


@stage(
    version=1,
    gpus=0.25,
    work=lambda adapter, **_: TRAINING_WORK * adapter.iterations * adapter.batch,
)
def train_adapter(
    run: StageRun, images: Path, base: Path, backbone: Backbone, adapter: AdapterTraining, label: int, seed: int
) -> None:
    """The adapter of one class, trained on its real images alone; the base stays as it is.

    Writes ``adapter.safetensors``: A and B of every layer and the class's embedding row, moving averages.
    """
    torch.manual_seed(stream_seed(seed, "adapter", label))
    pixels, labels = read_images(images / "train.arrow")
    pixels = pixels[labels == label].to(run.device)
    net = _load_base(base, backbone, run.device)
    values = rank_one(net, chosen_layers(net, adapter.layers))
    embedding = net.class_embedding.weight.mean(0)
    if adapter.train_embedding:
        values["embedding"] = embedding
    for value in values.values():
        value.requires_grad_(True)

    def field(x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        return class_field(net, merged_weights(net, values), embedding)(x, t, y)

    row = torch.zeros(len(pixels), dtype=torch.long, device=run.device)
    average = _train_flow(run, field, pixels, row, values, adapter) if values else {}
    save_file({"embedding": embedding.detach(), **average}, run.output / "adapter.safetensors")


@stage(
    version=1,
    gpus=0.25,
    work=lambda images, solver, **_: float(images * expected_evaluations(solver)),
)
def sample_class(
    run: StageRun,
    base: Path,
    adapter: Path | None,
    backbone: Backbone,
    solver: Solver,
    label: int,
    row: int | None,
    images: int,
    chunk: int,
    seed: int,
) -> None:
    """One chunk of synthetic images of a class, integrated as one batch.

    Args:
        adapter: the class's adapter; None for a class of the first task.
        row: the class's row of the base's embedding; None with an adapter.

    Writes ``train.arrow`` and ``samples.json`` with the evaluations of the vector field.
    """
    net = _load_base(base, backbone, run.device)
    field: VectorField = net
    if adapter:
        values = load_file(adapter / "adapter.safetensors", device=run.device)
        field = class_field(net, merged_weights(net, values), values["embedding"])
    torch.manual_seed(stream_seed(seed, "samples", label, chunk))
    noise = torch.randn(images, backbone.image_channels, backbone.image_side, backbone.image_side, device=run.device)
    y = torch.full((images,), row or 0, device=run.device)
    samples, evaluations = integrate(lambda x, t: field(x, t, y), noise, solver)
    write_images(run.output / "train.arrow", to_bytes(samples), torch.full((images,), label))
    (run.output / "samples.json").write_text(json.dumps({"evaluations": evaluations}))


@stage(version=1)
def score(run: StageRun, classifiers: tuple[Path, ...], banks: tuple[Path, ...], tasks: TaskStream) -> None:
    """The numbers of the run, in percent.

    Writes ``metrics.json``: ``accuracy_matrix``, row i the accuracy after task i on the images of every task so far;
    ``accuracy``, on all classes seen after each task; ``la``, its last; ``aia``, its mean; ``nfe``, evaluations per
    image, mean over the banks.
    """
    hits = [json.loads((each / "hits.json").read_text()) for each in classifiers]
    matrix = [[_percent(seen, task) for task in tasks[: done + 1]] for done, seen in enumerate(hits)]
    accuracy = [_percent(seen, tuple(int(label) for label in seen)) for seen in hits]
    evaluations = [json.loads((each / "samples.json").read_text())["evaluations"] for each in banks]
    metrics = {
        "la": accuracy[-1],
        "aia": sum(accuracy) / len(accuracy),
        "nfe": sum(evaluations) / len(evaluations),
        "accuracy": accuracy,
        "accuracy_matrix": matrix,
    }
    (run.output / "metrics.json").write_text(json.dumps(metrics))


def _percent(hits: dict[str, list[int]], classes: tuple[int, ...]) -> float:
    correct = sum(hits[str(label)][0] for label in classes)
    return 100 * correct / sum(hits[str(label)][1] for label in classes)


def _train_flow(
    run: StageRun,
    field: VectorField,
    pixels: Tensor,
    row: Tensor,
    values: Mapping[str, Tensor],
    training: FlowTraining,
) -> dict[str, Tensor]:
    """Fit ``values`` by flow matching and return their moving average."""
    unit = to_unit(pixels)
    optimizer = torch.optim.Adam(values.values(), lr=training.lr, fused=True)
    schedule = LinearLR(optimizer, start_factor=1 / training.warmup, total_iters=training.warmup)
    ema = Ema(values, training.ema, training.ema_from)

    def loss() -> Tensor:
        batch = torch.randint(len(unit), (training.batch,), device=unit.device)
        return flow_matching_loss(field, unit[batch], row[batch])

    train(run, training.iterations, loss, values, optimizer, schedule, ema)
    return ema.average


def _load_base(base: Path, backbone: Backbone, device: str) -> UNet:
    weights = load_file(base / "base.safetensors", device=device)
    with torch.device("meta"):
        net = UNet(backbone, len(weights["class_embedding.weight"]))
    net.load_state_dict(weights, assign=True)
    return net.eval().requires_grad_(False)
