"""The UCI handwritten digits that scikit-learn ships: 1,797 grey images of 8x8 pixels in 10 classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from PIL import Image

from sweeper.stage import StageRun, stage
from trainables.images import write_images
from trainables.labelled import ImageFile, Labels
from trainables.splits import TEST_SHARE, VALIDATION_SHARE, Indices, stratified

BRIGHTEST = 16


@dataclass(frozen=True)
class DigitsSplit:
    """See `trainables.labelled.Split`."""

    title: str = "digits"
    names: Sequence[str] | None = None
    ready: bool = True

    def check(self) -> None:
        """They are what they are; names of columns mean nothing here."""

    def labels(self) -> Labels:
        """All labels."""
        from sklearn.datasets import load_digits

        return Labels(load_digits().target.astype(np.int64), None)

    def images(self, rows: Indices) -> Iterator[tuple[str, ImageFile]]:
        """Images of the rows."""
        from sklearn.datasets import load_digits

        pixels = np.rint(load_digits().images * 255 / BRIGHTEST).astype(np.uint8)
        for row in rows:
            yield f"row {row} of {self.title}", Image.fromarray(pixels[row])


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
