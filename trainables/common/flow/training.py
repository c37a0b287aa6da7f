"""Training a vector field by flow matching."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor
from torch.optim.lr_scheduler import LinearLR

from sweeper import StageRun, stage
from trainables.common.data.images import images_of, to_unit
from trainables.common.flow.generator import Network, save_network
from trainables.common.flow.path import VectorField, flow_matching_loss
from trainables.common.flow.settings import FlowTraining
from trainables.common.nets.settings import Backbone
from trainables.common.nets.unet import UNet
from trainables.common.seeds import stream_seed
from trainables.common.training import Ema, train

TRAINING_WORK = 3.0
"""Cost of an image in a training step beside that of one evaluation: forward and backward."""


@stage(
    name="common.train_flow",
    version=1,
    gpus=0.5,
    part="training",
    work=lambda training, **_: TRAINING_WORK * training.iterations * training.batch,
)
def train_flow(
    run: StageRun,
    images: tuple[Path, ...],
    backbone: Backbone,
    classes: tuple[int, ...],
    training: FlowTraining,
    seed: int,
) -> None:
    """Train a U-Net from scratch on the images of ``classes``.

    Args:
        images: directories with ``train.arrow``: the real images, and samples of earlier classes where they are
            replayed.
        classes: labels; row i of the class embedding belongs to ``classes[i]``.

    Writes the moving average as a network, see `trainables.common.flow.generator`.
    """
    torch.manual_seed(stream_seed(seed, "base"))
    pixels, row = (part.to(run.device) for part in images_of([each / "train.arrow" for each in images], classes))
    net = UNet(backbone, len(classes)).to(run.device)
    average = fit_flow(run, net, pixels, row, dict(net.named_parameters()), training)
    save_network(run.output, Network(backbone=backbone, classes=classes), average)


def fit_flow(
    run: StageRun,
    field: VectorField,
    pixels: Tensor,
    row: Tensor,
    values: Mapping[str, Tensor],
    training: FlowTraining,
) -> dict[str, Tensor]:
    """Fit ``values`` by flow matching and return their moving average.

    Args:
        field: v(x, t, y), made of ``values``.
        pixels: uint8 images, (N, C, H, W).
        row: of the class embedding, (N,).
    """
    unit = to_unit(pixels)
    optimizer = torch.optim.Adam(values.values(), lr=training.lr, fused=True)
    schedule = LinearLR(optimizer, start_factor=1 / training.warmup, total_iters=training.warmup)
    ema = Ema(values, training.ema, training.ema_from)

    def loss() -> Tensor:
        batch = torch.randint(len(unit), (training.batch,), device=unit.device)
        return flow_matching_loss(field, unit[batch], row[batch])

    train(run, training.iterations, loss, values, optimizer, schedule, ema)
    return ema.average
