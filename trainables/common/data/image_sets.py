"""From a data source to one Arrow file of uint8 pixels per split."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sweeper import InvalidConfig, Stage, StageRun, SweeperError, stage
from trainables.common.data.images import write_batches
from trainables.common.data.settings import Data
from trainables.common.data.sources.class_list import read_class_list
from trainables.common.data.sources.data_files import Listing, listing
from trainables.common.data.sources.labels import check_names
from trainables.common.data.sources.parts import Part, choose_parts, needed_splits
from trainables.common.data.sources.pixels import read_pixels
from trainables.common.data.sources.source import fingerprint, locate, open_source

BATCH_BYTES = 2**24
CHANNELS = (1, 3)


def image_stage(data: Data, channels: int, side: int) -> Stage:
    """Build the stage that makes images of ``channels`` x ``side`` x ``side`` of a data source. Nothing runs.

    Its key depends on the content of the source, not on where it lies, and on the names in the class list. Raises
    InvalidConfig for a source or a class list that does not exist.
    """
    located = data.model_copy(update={"source": str(locate(data.source))})
    return load_images(located, fingerprint(data), read_class_list(data), channels, side)


def check_data(data: Data, channels: int, side: int) -> None:
    """Check that `load_images` can make images of the data: all labels, and the first image of each file it writes.

    The same data is read once in a process. Of what is not downloaded from the hub yet, only the description is
    checked. Raises InvalidConfig, and SweeperError for an image that cannot be read.
    """
    if channels not in CHANNELS:
        raise InvalidConfig("backbone.image_channels", f"images have no {channels} channels", fix="set it to 1 or 3")
    place = locate(data.source)
    _check(data, read_class_list(data), channels, side, listing(place) if isinstance(place, Path) else ())


@lru_cache(maxsize=64)
def _check(data: Data, names: tuple[str, ...] | None, channels: int, side: int, _state: Listing) -> None:
    """``_state`` is that of the files: what changed is checked again."""
    source = open_source(data)
    splits = needed_splits(data, source).values()
    for split in splits:
        split.check()
        if not split.ready and split.names is not None:
            check_names(split.names, names, data.classes, split.title)
    if all(split.ready for split in splits):
        for part in choose_parts(data, names, source):
            for place, file in part.split.images(part.rows[:1]):
                read_pixels(file, place, channels, side)


@stage(name="common.load_images", version=1, part="data")
def load_images(
    run: StageRun, data: Data, content: str, names: tuple[str, ...] | None, channels: int, side: int
) -> None:
    """Write ``train.arrow`` and ``held_out.arrow``, see `trainables.common.data.images`, in the order of the source.

    Args:
        data: where the images are, and which of them to take.
        content: the `fingerprint` of the source.
        names: of the classes, in the order of their labels; None for all.

    Raises:
        SweeperError: for a source whose content has changed, for what `check_data` refuses, and for an image that
            cannot be read.
    """
    if fingerprint(data) != content:
        raise SweeperError(f"{data.source} has changed since the run was planned", fix="say the same command again")
    parts = choose_parts(data, names, open_source(data))
    total = sum(len(part.rows) for part in parts)
    done = 0

    def report(more: int) -> None:
        nonlocal done
        done += more
        run.log(done, total)

    for name, part in zip(("train", "held_out"), parts, strict=True):
        write_batches(run.output / f"{name}.arrow", _batches(part, channels, side, report))


def _batches(part: Part, channels: int, side: int, report: Callable[[int], None]) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches of one size in bytes, so that the division of a file depends on nothing else."""
    size = max(1, BATCH_BYTES // (channels * side * side))
    images = part.split.images(part.rows)
    for start in range(0, len(part.rows), size):
        labels = part.labels[start : start + size]
        pixels = np.stack([read_pixels(file, place, channels, side) for place, file in islice(images, len(labels))])
        report(len(labels))
        yield torch.from_numpy(pixels), torch.from_numpy(labels)
