"""Images as points: the features that a network sees in them, in whose space samples are compared with real images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from sweeper import InvalidConfig, NotInKey, Stage, StageRun, stage
from trainables.common.classifier.artifact import load_classifier
from trainables.common.data.images import expected_images, read_images, to_unit
from trainables.common.metrics.fid_weights import FIELD, FIX, load_inception, weights_digest
from trainables.common.metrics.settings import Quality

BATCH = 100
"""Images at a time. The bytes of the result depend on it."""
RESNET18_WORK = 0.13
INCEPTION_WORK = 1.4
"""Cost of an image beside that of one image through the U-Net, at the width and size of the CIFAR presets."""


def extract_features(
    images: Stage | Sequence[Stage], classes: Sequence[int], classifier: Stage, quality: Quality
) -> Stage:
    """Extract the features chosen by ``quality`` of the images of ``classes``, in whatever order the classes are given.

    Args:
        images: artifacts with ``train.arrow``: the real images, or banks of samples.
        classifier: of the real images; it is needed, and built, for resnet18 alone.

    Raises InvalidConfig for weights that cannot be used.
    """
    banks, labels = ([images] if isinstance(images, Stage) else list(images)), sorted(classes)
    if quality.features == "resnet18":
        return resnet18_features(banks, labels, classifier)
    weights = _weights(quality)
    return inception_features(banks, labels, weights_digest(weights), weights)


def check_quality(quality: Quality) -> None:
    """Check that inception has weights that can be used, and nothing else has any. Raises InvalidConfig."""
    if quality.features == "inception":
        weights_digest(_weights(quality))
    elif quality.weights is not None:
        fix = "leave quality.weights out, or set quality.features to inception"
        raise InvalidConfig(FIELD, f"has no effect with features {quality.features}", fix=fix)


def _weights(quality: Quality) -> str:
    """Return the absolute path of the weights: a worker may have another working directory."""
    if quality.weights is None:
        raise InvalidConfig(FIELD, "the features of inception need its weights", fix=FIX)
    return str(Path(quality.weights).absolute())


def _work(per_image: float) -> Callable[..., float]:
    return lambda images, classes, **_: per_image * expected_images(images, len(classes))


@stage(name="common.resnet18_features", version=1, gpus=0.25, part="quality", work=_work(RESNET18_WORK))
def resnet18_features(run: StageRun, images: tuple[Path, ...], classes: tuple[int, ...], classifier: Path) -> None:
    """Extract what the last layer of a saved classifier is given.

    Args:
        images: directories with ``train.arrow``.
        classes: labels to take.
        classifier: directory of a classifier.

    Writes ``features.safetensors``: (N, 8 width) float32, in the order of the files and of the images in them.
    """
    net = load_classifier(classifier, run.device).net
    _extract(run, lambda pixels: net.features(to_unit(pixels)), images, classes)


@stage(
    name="common.inception_features",
    version=1,
    gpus=0.25,
    part="quality",
    work=_work(INCEPTION_WORK),
)
def inception_features(
    run: StageRun, images: tuple[Path, ...], classes: tuple[int, ...], digest: str, weights: Annotated[str, NotInKey]
) -> None:
    """Extract the features of the FID: (N, 2048), otherwise as `resnet18_features`.

    Args:
        digest: SHA-256 of the weights file's content.
        weights: path of that file.
    """
    net = load_inception(weights, digest).to(run.device)
    _extract(run, net, images, classes)


def read_features(directory: Path) -> Tensor:
    """Read the features (N, D) float32 of an artifact."""
    return load_file(directory / "features.safetensors")["features"]


@torch.no_grad()
def _extract(
    run: StageRun, network: Callable[[Tensor], Tensor], images: tuple[Path, ...], classes: tuple[int, ...]
) -> None:
    parts = [read_images(each / "train.arrow") for each in images]
    pixels, labels = torch.cat([pixels for pixels, _ in parts]), torch.cat([labels for _, labels in parts])
    pixels = pixels[torch.isin(labels, torch.tensor(classes))]
    features = [read_features(run.saved)] if run.saved else []
    for start in range(sum(map(len, features)), len(pixels), BATCH):
        features.append(network(pixels[start : start + BATCH].to(run.device)).cpu())
        run.log(start + len(features[-1]), len(pixels))
        if run.due():
            run.save(lambda directory: _write(directory, features))
    _write(run.output, features)


def _write(directory: Path, features: list[Tensor]) -> None:
    save_file({"features": torch.cat(features)}, directory / "features.safetensors")
