"""The classifier of a task: trained from scratch, then counted on held-out images."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F
from torch.optim.lr_scheduler import OneCycleLR

from sweeper import Stage, StageRun, stage
from trainables.common.data.images import expected_images, read_images, to_unit
from trainables.common.nets.resnet import ResNet18, random_crop, random_flip
from trainables.common.seeds import stream_seed
from trainables.common.settings import ClassifierTraining
from trainables.common.training import train

WORK_PER_IMAGE = 0.4
"""Cost of a training image beside that of one image through the U-Net."""


def _work(training: tuple[Stage, ...], classes: tuple[int, ...], classifier: ClassifierTraining, **_: object) -> float:
    return WORK_PER_IMAGE * classifier.epochs * expected_images(training, len(classes))


@stage(name="common.train_classifier", version=1, gpus=0.25, part="classifier", work=_work)
def train_classifier(
    run: StageRun,
    training: tuple[Path, ...],
    held_out: Path,
    classes: tuple[int, ...],
    classifier: ClassifierTraining,
    task: int,
    seed: int,
) -> None:
    """Train a ResNet18 on the images of ``classes`` and count its hits on the held-out images of these classes.

    Args:
        training: directories with ``train.arrow``: the real images, or one bank of samples per class and chunk.
        held_out: directory with ``held_out.arrow``.
        classes: the labels, in the order of the logits.

    Writes ``classifier.safetensors`` and ``hits.json``: correct and total by class.
    """
    torch.manual_seed(stream_seed(seed, "classifier", task))
    images, labels = (part.to(run.device) for part in _of_classes([each / "train.arrow" for each in training], classes))
    net = ResNet18(images.shape[1], classifier.width, len(classes)).to(run.device)
    _fit(run, net, images, labels, classifier)
    save_file(net.state_dict(), run.output / "classifier.safetensors")
    held_images, held_labels = (part.to(run.device) for part in _of_classes([held_out / "held_out.arrow"], classes))
    hits = count_hits(net, held_images, held_labels, len(classes))
    named = {str(label): list(pair) for label, pair in zip(classes, hits, strict=True)}
    (run.output / "hits.json").write_text(json.dumps(named))


def _fit(run: StageRun, net: ResNet18, images: Tensor, labels: Tensor, config: ClassifierTraining) -> None:
    steps = config.epochs * -(-len(images) // config.batch)
    optimizer = torch.optim.SGD(
        net.parameters(), lr=config.lr, momentum=config.momentum, weight_decay=config.weight_decay, fused=True
    )
    schedule = OneCycleLR(optimizer, config.lr, total_steps=steps)
    unit = to_unit(images)

    def loss() -> Tensor:
        batch = torch.randint(len(unit), (config.batch,), device=unit.device)
        augmented = random_crop(unit[batch], config.crop) if config.crop else unit[batch]
        augmented = random_flip(augmented) if config.flip else augmented
        return F.cross_entropy(net(augmented), labels[batch])

    train(run, steps, loss, net.state_dict(keep_vars=True), optimizer, schedule)


@torch.no_grad()
def count_hits(net: ResNet18, images: Tensor, labels: Tensor, classes: int) -> list[tuple[int, int]]:
    """Correct and total per label 0..classes-1, of uint8 images (N, C, H, W) and labels (N,)."""
    net.eval()
    predicted = torch.cat([net(to_unit(chunk)).argmax(1) for chunk in torch.split(images, 1000)])
    return [
        (int((predicted[labels == label] == label).sum()), int((labels == label).sum())) for label in range(classes)
    ]


def _of_classes(paths: list[Path], classes: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Images of ``classes`` in the files, and for each the position of its label in ``classes``."""
    parts = [read_images(path) for path in paths]
    images, labels = torch.cat([images for images, _ in parts]), torch.cat([labels for _, labels in parts])
    position = torch.full((max(int(labels.max()), *classes) + 1,), -1)
    position[list(classes)] = torch.arange(len(classes))
    kept = position[labels] >= 0
    return images[kept], position[labels[kept]]
