"""Testing of classifiers, apart from their training: a classifier that is trained on from task to task is tested after
each of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from sweeper import Stage, StageRun, stage
from trainables.common.classifier.artifact import load_classifier
from trainables.common.data.images import images_of, to_unit

HITS = "hits.json"
BATCH = 1000
"""Images at a time."""
WORK_PER_CLASS = 15.0
"""Cost of a class beside that of one image through the U-Net: about 100 held-out images, forward alone."""

Hits = Mapping[str, tuple[int, int]]
"""Correct and total held-out images of every class, by its label."""


def _work(classifier: Stage, **_: object) -> float:
    return WORK_PER_CLASS * len(classifier.params.get("classes", [0]))


@stage(name="common.evaluate", version=1, gpus=0.25, part="classifier", work=_work)
def evaluate(run: StageRun, classifier: Path, images: Path) -> None:
    """Count the hits of a classifier on the held-out images of its classes.

    Args:
        classifier: directory of a classifier.
        images: directory with ``held_out.arrow``.

    Writes ``hits.json``: correct and total by label, see `read_hits`.
    """
    tested = load_classifier(classifier, run.device)
    held_out, labels = (part.to(run.device) for part in images_of([images / "held_out.arrow"], tested.classes))
    hits = count_hits(tested.net, held_out, labels, len(tested.classes))
    named = {str(label): pair for label, pair in zip(tested.classes, hits, strict=True)}
    (run.output / HITS).write_text(json.dumps(named))


def read_hits(directory: Path) -> Hits:
    """Read what `evaluate` has counted."""
    return {label: (correct, total) for label, (correct, total) in json.loads((directory / HITS).read_text()).items()}


@torch.no_grad()
def count_hits(net: nn.Module, images: Tensor, labels: Tensor, classes: int) -> list[tuple[int, int]]:
    """Return correct and total per label 0..classes-1, of uint8 images (N, C, H, W) and labels (N,)."""
    net.eval()
    predicted = torch.cat([net(to_unit(chunk)).argmax(1) for chunk in torch.split(images, BATCH)])
    return [
        (int((predicted[labels == label] == label).sum()), int((labels == label).sum())) for label in range(classes)
    ]
