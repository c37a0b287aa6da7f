"""The UCI handwritten digits that scikit-learn ships: 1,797 grey images of 8x8 pixels in 10 classes."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch

from sweeper.stage import StageRun, stage
from trainables.images import write_images
from trainables.splits import VALIDATION_SHARE, stratified

TEST_SHARE = 0.25
BRIGHTEST = 16


@stage(version=1)
def digits(run: StageRun, held_out: Literal["test", "validation"]) -> None:
    """``train.arrow`` and ``held_out.arrow`` by a fixed stratified split.

    A quarter of all images is the test set. For ``validation`` a fifth of the rest is held out instead, and the
    test images are in neither file.
    """
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    train, held = stratified(labels, TEST_SHARE)
    if held_out == "validation":
        kept, held = (train[part] for part in stratified(labels[train], VALIDATION_SHARE))
        train = kept
    pixels = torch.from_numpy(np.rint(images * 255 / BRIGHTEST).astype(np.uint8)).view(-1, 1, 8, 8)
    for name, index in (("train", train), ("held_out", held)):
        write_images(run.output / f"{name}.arrow", pixels[index], torch.from_numpy(labels[index]))
