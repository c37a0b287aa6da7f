"""Labelled images as Arrow files of uint8 pixels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from sweeper import Stage

REAL_IMAGES = 100
"""Guess of the images per class of a data set, which is not known before it is read."""


def write_images(path: Path, images: Tensor, labels: Tensor) -> None:
    """Write uint8 images (N, C, H, W) and integer labels (N,)."""
    write_batches(path, [(images, labels)])


def write_batches(path: Path, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
    """Write images (N, C, H, W) uint8 and labels (N,), at least one batch; holds one batch at a time.

    The file reads the same however its rows were divided; its bytes are the same when they were divided alike.
    """
    tables = (_table(images, labels) for images, labels in batches)
    first = next(tables)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, first.schema) as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)


def _table(images: Tensor, labels: Tensor) -> pa.Table:
    flat = pa.array(images.cpu().contiguous().view(-1).numpy())
    size = images[0].numel()
    return pa.table(
        {"image": pa.FixedSizeListArray.from_arrays(flat, size), "label": pa.array(labels.cpu().numpy())},
        metadata={"shape": " ".join(str(side) for side in images.shape[1:])},
    )


def read_images(path: Path) -> tuple[Tensor, Tensor]:
    """Read images (N, C, H, W) uint8 and labels (N,) int64."""
    with pa.memory_map(str(path)) as source:
        table = pa.ipc.open_file(source).read_all()
    shape = [int(side) for side in table.schema.metadata[b"shape"].split()]
    pixels = table["image"].combine_chunks().flatten().to_numpy().copy()
    labels = table["label"].to_numpy().astype(np.int64)
    return torch.from_numpy(pixels).view(-1, *shape), torch.from_numpy(labels)


def images_of(paths: Sequence[Path], classes: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return the images of ``classes`` in the files, and for each the position of its label in ``classes``."""
    parts = [read_images(path) for path in paths]
    images, labels = torch.cat([images for images, _ in parts]), torch.cat([labels for _, labels in parts])
    position = torch.full((max(int(labels.max()), *classes) + 1,), -1)
    position[list(classes)] = torch.arange(len(classes))
    kept = position[labels] >= 0
    return images[kept], position[labels[kept]]


def to_unit(images: Tensor) -> Tensor:
    """Scale uint8 to float32 in [-1, 1]."""
    return images.float() / 127.5 - 1


def to_bytes(images: Tensor) -> Tensor:
    """Scale float in [-1, 1] to uint8; values outside are clipped."""
    return ((images + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def expected_images(sources: Iterable[Stage], classes: int) -> int:
    """Estimate how many images artifacts will hold of ``classes`` classes. Only a bank of samples says how many."""
    return sum(int(source.params.get("images", REAL_IMAGES * classes)) for source in sources)
