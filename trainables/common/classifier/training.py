"""Training of classifiers."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim.lr_scheduler import OneCycleLR

from sweeper import Stage, StageRun, stage
from trainables.common.classifier.artifact import Description, save_classifier
from trainables.common.classifier.settings import ClassifierTraining
from trainables.common.data.images import expected_images, images_of, to_unit
from trainables.common.nets.resnet import ResNet18, random_crop, random_flip
from trainables.common.seeds import stream_seed
from trainables.common.training import train

WORK_PER_IMAGE = 0.4
"""Cost of a training image beside that of one image through the U-Net."""


def _work(training: tuple[Stage, ...], classes: tuple[int, ...], classifier: ClassifierTraining, **_: object) -> float:
    return WORK_PER_IMAGE * classifier.epochs * expected_images(training, len(classes))


@stage(name="common.train_classifier", version=2, gpus=0.25, part="classifier", work=_work)
def train_classifier(
    run: StageRun,
    training: tuple[Path, ...],
    classes: tuple[int, ...],
    classifier: ClassifierTraining,
    task: int,
    seed: int,
) -> None:
    """Train a ResNet18 from scratch on the images of ``classes``.

    Args:
        training: directories with ``train.arrow``: the real images, or one bank of samples per class and chunk.
        classes: the labels, in the order of the logits.

    Writes the classifier, see `trainables.common.classifier.artifact`.
    """
    torch.manual_seed(stream_seed(seed, "classifier", task))
    images, labels = (part.to(run.device) for part in images_of([each / "train.arrow" for each in training], classes))
    about = Description(image_channels=images.shape[1], width=classifier.width, classes=classes)
    net = about.build().to(run.device)
    _fit(run, net, images, labels, classifier)
    save_classifier(run.output, about, net)


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
