"""The UCI handwritten digits that scikit-learn ships: 1,797 grey images of 8x8 pixels in 10 classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from trainables.common.data.sources.labelled import ImageFile, Labels
from trainables.common.data.splits import Indices

BRIGHTEST = 16


@dataclass(frozen=True)
class DigitsSplit:
    """See `trainables.common.data.sources.labelled.Split`."""

    title: str = "digits"
    names: Sequence[str] | None = None
    ready: bool = True

    def check(self) -> None:
        """Nothing can be wrong: names of columns mean nothing here."""

    def labels(self) -> Labels:
        """Return all labels."""
        from sklearn.datasets import load_digits

        return Labels(load_digits().target.astype(np.int64), None)

    def images(self, rows: Indices) -> Iterator[tuple[str, ImageFile]]:
        """Yield the images of the rows."""
        from sklearn.datasets import load_digits

        pixels = np.rint(load_digits().images * 255 / BRIGHTEST).astype(np.uint8)
        for row in rows:
            yield f"row {row} of {self.title}", Image.fromarray(pixels[row])
