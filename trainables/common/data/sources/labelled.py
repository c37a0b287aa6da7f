"""The interface of sources of images: splits with labels, read at once, and images, read one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from trainables.common.data.splits import Indices

ImageFile = bytes | Path | Image | None
"""An image as its source has it: an encoded file or its path, pixels, or nothing where one is missing."""


@dataclass(frozen=True)
class Labels:
    """Labels of a split, in the order of its rows."""

    values: NDArray[np.int64]
    """(N,): labels, or positions in ``names`` of labels that are text."""
    names: Sequence[str] | None
    """Names of the classes 0, 1, …; None for plain numbers, which are named by their digits."""
    ordered: bool = True
    """True if the numbers mean something without a class list; those of text do not."""

    def name(self, value: int) -> str | None:
        """Return the name of a class; None for a label that stands for none, such as -1 for unknown."""
        if self.names is None:
            return str(value)
        return self.names[value] if 0 <= value < len(self.names) else None


class Split(Protocol):
    """A split of a source of images. Its errors are InvalidConfig."""

    @property
    def title(self) -> str:
        """Its name in messages, such as ``split train``."""

    @property
    def ready(self) -> bool:
        """True if its labels can be read without a download."""

    @property
    def names(self) -> Sequence[str] | None:
        """Names of its classes 0, 1, …, where they are known before labels are read."""

    def check(self) -> None:
        """Raises InvalidConfig when a column is missing or holds something else."""

    def labels(self) -> Labels:
        """Read all labels, after `check`. Raises InvalidConfig for a row without one."""

    def images(self, rows: Indices) -> Iterator[tuple[str, ImageFile]]:
        """Yield the images of ascending rows, each after its name in messages."""
