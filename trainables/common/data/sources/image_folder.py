"""Image folders: ``train/CLASS/x.png`` and ``test/CLASS/y.png``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from sweeper import InvalidConfig
from trainables.common.data.settings import Data
from trainables.common.data.sources.labelled import ImageFile, Labels
from trainables.common.data.splits import Indices

COLUMNS = {"data.image_column": "image", "data.label_column": "label"}
"""The names that `datasets` gives them."""
SLASHES = "split/class/image".count("/")


def is_image(file: str) -> bool:
    """Check by its ending, below a directory: pictures beside the splits are documentation."""
    return "/" in file and file.lower().endswith(_endings())


@cache
def _endings() -> tuple[str, ...]:
    return tuple(ending for ending, kind in Image.registered_extensions().items() if kind in Image.OPEN)


def open_folder(data: Data, folder: Path, files: Sequence[str]) -> Mapping[str, FolderSplit]:
    """Open the splits by name.

    Args:
        files: the folder's images, sorted, by their paths in it.

    Raises InvalidConfig for an image that lies elsewhere than in the directory of a class in that of a split.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for file in files:
        if file.count("/") != SLASHES:
            message = f"{folder / file} does not lie in the directory of a split and of a class"
            raise InvalidConfig("data.source", message, fix="arrange the images as train/CLASS/x.png")
        found[file.partition("/")[0]].append(file)
    classes = tuple(sorted({_class(file) for file in files}))
    given = {"data.image_column": data.image_column, "data.label_column": data.label_column}
    return {split: FolderSplit(f"split {split}", folder, own, classes, given) for split, own in found.items()}


def _class(file: str) -> str:
    return file.split("/")[1]


@dataclass(frozen=True)
class FolderSplit:
    """A split, see `labelled.Split`. Classes are numbered in the order of their names, over all splits."""

    title: str
    folder: Path
    files: Sequence[str]
    names: Sequence[str]
    columns: Mapping[str, str]
    ready: bool = True

    def check(self) -> None:
        """Raises InvalidConfig when the columns are not called as they always are in an image folder."""
        for field, column in self.columns.items():
            if column != COLUMNS[field]:
                message = f"{self.folder} is an image folder, which has no column '{column}'"
                raise InvalidConfig(field, message, fix=f"name it {COLUMNS[field]}")

    def labels(self) -> Labels:
        """Read all labels."""
        number = {name: label for label, name in enumerate(self.names)}
        return Labels(np.array([number[_class(file)] for file in self.files], dtype=np.int64), self.names)

    def images(self, rows: Indices) -> Iterator[tuple[str, ImageFile]]:
        """Yield the images of the rows, each with its path."""
        for row in rows:
            path = self.folder / self.files[row]
            yield str(path), path
