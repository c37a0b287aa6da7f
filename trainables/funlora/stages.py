"""The stages of a generative continual run: base, adapters, samples, and how well the field fits unseen images."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.optim.lr_scheduler import LinearLR

from sweeper import StageRun, stage
from trainables.common.data.images import read_images, to_bytes, to_unit, write_images
from trainables.common.flow.path import VectorField, Velocity, flow_matching_loss
from trainables.common.flow.solver import expected_evaluations, integrate
from trainables.common.nets.unet import UNet
from trainables.common.seeds import stream_seed
from trainables.common.settings import Backbone, FlowTraining, Solver
from trainables.common.training import Ema, train
from trainables.funlora.adapters import class_field, merged, new_adapter
from trainables.funlora.settings import Adapter

TRAINING_WORK = 3.0
"""Cost of an image in a training step beside that of one evaluation: forward and backward."""
LOSS_DRAWS = 16
"""Times and noises at which the loss of a held-out image is taken."""
LOSS_BATCH = 500
HELD_OUT = 100
"""Held-out images of a class, about: 45 of the digits, 100 of CIFAR-100, 1,000 of CIFAR-10."""


@stage(
    name="funlora.train_base",
    version=2,
    gpus=0.5,
    part="training",
    work=lambda training, **_: TRAINING_WORK * training.iterations * training.batch,
)
def train_base(
    run: StageRun, images: Path, backbone: Backbone, classes: tuple[int, ...], training: FlowTraining, seed: int
) -> None:
    """The U-Net trained from scratch on the real images of ``classes``.

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
    name="funlora.train_adapter",
    version=2,
    gpus=0.25,
    part="training",
    work=lambda adapter, **_: TRAINING_WORK * adapter.iterations * adapter.batch,
)
def train_adapter(
    run: StageRun, images: Path, base: Path, backbone: Backbone, adapter: Adapter, label: int, seed: int
) -> None:
    """The adapter of one class, trained on its real images alone; the base stays as it is.

    A batch holds one class, so every layer runs once with one merged weight.

    Writes ``adapter.safetensors``, the moving averages of what was learned and the class's embedding row, and
    ``adapter.json``, the settings that say how to merge them.
    """
    torch.manual_seed(stream_seed(seed, "adapter", label))
    pixels, labels = read_images(images / "train.arrow")
    pixels = pixels[labels == label].to(run.device)
    net = load_base(base, backbone, run.device)
    learned = new_adapter(net, adapter)
    embedding = net.class_embedding.weight.mean(0)
    values = {**learned, "embedding": embedding} if adapter.train_embedding else learned
    for value in values.values():
        value.requires_grad_(True)

    def field(x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        return class_field(net, merged(net, adapter, learned), embedding)(x, t, y)

    row = torch.zeros(len(pixels), dtype=torch.long, device=run.device)
    average = _train_flow(run, field, pixels, row, values, adapter) if values else {}
    save_file({"embedding": embedding.detach(), **average}, run.output / "adapter.safetensors")
    (run.output / "adapter.json").write_text(adapter.model_dump_json())


@stage(
    name="common.sample_class",
    version=2,
    gpus=0.25,
    part="sampling",
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
    batch: int,
    chunk: int,
    seed: int,
) -> None:
    """One chunk of synthetic images of a class. Noise and order depend on the class, the chunk and the seed alone.

    Args:
        adapter: the class's adapter; None for a class that the base was trained on.
        row: the class's row of the base's embedding; None with an adapter.
        images: in this chunk.
        batch: integrated at a time.

    Writes ``train.arrow`` and ``samples.json`` with the evaluations of the vector field per image.
    """
    field = _load_field(base, adapter, backbone, row, run.device)
    torch.manual_seed(stream_seed(seed, "samples", label, chunk))
    noise = torch.randn(images, backbone.image_channels, backbone.image_side, backbone.image_side)
    samples, evaluations = [], 0
    for part in torch.split(noise, batch):
        made, evaluated = integrate(field, part.to(run.device), solver)
        samples.append(to_bytes(made).cpu())
        evaluations += evaluated * len(part)
        run.log(sum(map(len, samples)), images)
    write_images(run.output / "train.arrow", torch.cat(samples), torch.full((images,), label))
    (run.output / "samples.json").write_text(json.dumps({"evaluations": evaluations / images}))


@stage(
    name="funlora.held_out_loss",
    version=1,
    gpus=0.25,
    part="measures",
    work=lambda **_: float(LOSS_DRAWS * HELD_OUT),
)
def held_out_loss(
    run: StageRun, images: Path, base: Path, adapter: Path | None, backbone: Backbone, label: int, row: int | None
) -> None:
    """The flow-matching loss of a class on its held-out images, at times and noises that all runs share.

    Args:
        adapter, row: as for `sample_class`.

    Writes ``loss.json``.
    """
    pixels, labels = read_images(images / "held_out.arrow")
    unit = to_unit(pixels[labels == label])
    field = _load_field(base, adapter, backbone, row, run.device)
    torch.manual_seed(stream_seed(0, "held-out loss", label))
    drawn = unit.repeat(LOSS_DRAWS, 1, 1, 1)
    total = 0.0
    with torch.no_grad():
        for part in torch.split(drawn, LOSS_BATCH):
            y = torch.zeros(len(part), dtype=torch.long, device=run.device)
            total += float(flow_matching_loss(lambda x, t, _: field(x, t), part.to(run.device), y)) * len(part)
    (run.output / "loss.json").write_text(json.dumps(total / len(drawn)))


def load_base(base: Path, backbone: Backbone, device: str) -> UNet:
    """The frozen network of a base's artifact."""
    weights = load_file(base / "base.safetensors", device=device)
    with torch.device("meta"):
        net = UNet(backbone, len(weights["class_embedding.weight"]))
    net.load_state_dict(weights, assign=True)
    return net.eval().requires_grad_(False)


def load_adapter(adapter: Path, device: str) -> tuple[Adapter, dict[str, Tensor], Tensor]:
    """Settings, what was learned by ``layer/name``, and the embedding row (E,) of an adapter's artifact."""
    values = load_file(adapter / "adapter.safetensors", device=device)
    embedding = values.pop("embedding")
    return Adapter.model_validate_json((adapter / "adapter.json").read_text()), values, embedding


def _load_field(base: Path, adapter: Path | None, backbone: Backbone, row: int | None, device: str) -> Velocity:
    """v(x, t) of one class: the base at the class's row, or with the class's adapter merged in once."""
    net = load_base(base, backbone, device)
    field: VectorField = net
    if adapter:
        settings, learned, embedding = load_adapter(adapter, device)
        field = class_field(net, merged(net, settings, learned), embedding)
    return lambda x, t: field(x, t, torch.full((len(x),), row or 0, device=x.device))


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
