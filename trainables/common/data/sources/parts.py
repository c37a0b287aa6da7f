"""Which images of a source are trained on, and which are held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sweeper import InvalidConfig, nearest
from trainables.common.data.settings import Data
from trainables.common.data.sources.labelled import Labels, Split
from trainables.common.data.sources.labels import LEFT_OUT, class_labels
from trainables.common.data.splits import TEST_SHARE, VALIDATION_SHARE, Indices, smallest_class, stratified

Source = Split | Mapping[str, Split]


@dataclass(frozen=True)
class Part:
    """Images of a split."""

    split: Split
    rows: Indices
    """(N,), ascending."""
    labels: NDArray[np.int64]
    """(N,), within 0 … classes - 1."""

    def halves(self, share: float, use: str) -> tuple[Part, Part]:
        """Split off a fixed stratified ``share``, whose ``use`` messages name: return the rest and the share.

        Raises InvalidConfig when a class is so small that it might be missing from one of them.
        """
        counts, least = np.bincount(self.labels), smallest_class(share)
        if counts.min() < least:
            few = int(counts.argmin())
            message = f"{self.split.title} has {counts[few]} images of class {few} left, too few to hold {use} out"
            raise InvalidConfig("data.held_out", message, fix=f"it takes {least} images of every class")
        kept, held = (Part(self.split, self.rows[at], self.labels[at]) for at in stratified(self.labels, share))
        return kept, held


def needed_splits(data: Data, source: Source) -> dict[str, Split]:
    """Return the splits that are read, by the config value that names them. Raises InvalidConfig for a missing one."""
    if not isinstance(source, Mapping):
        return {"data.source": source}
    wanted = {"data.train_split": data.train_split}
    if data.held_out == "test":
        wanted["data.test_split"] = data.test_split
    for field, name in wanted.items():
        if name not in source:
            message = f"{data.source} has no split '{name}', but {', '.join(source)}"
            raise InvalidConfig(field, message, fix=nearest(name, source))
    return {field: source[name] for field, name in wanted.items()}


def choose_parts(data: Data, names: Sequence[str] | None, source: Source) -> tuple[Part, Part]:
    """Return training and held-out images.

    A source without splits gives a quarter of its images as test images. For validation a fifth of the training
    images is held out instead, and no test image is used.

    Args:
        names: of the classes, in the order of their labels; None for all of them.

    Raises InvalidConfig for whatever is not as ``data`` says.
    """
    splits = needed_splits(data, source)
    labels = [_labels(field, split) for field, split in splits.items()]
    parts = [_part(data, names, split, own) for split, own in zip(splits.values(), labels, strict=True)]
    if names is None and any(own.names != labels[0].names for own in labels):
        message = f"{' and '.join(part.split.title for part in parts)} do not name the same classes in the same order"
        raise InvalidConfig("data.label_column", message, fix="name the classes to take in data.class_list")
    if not isinstance(source, Mapping):
        parts = [*parts[0].halves(TEST_SHARE, "test images")]
    if data.held_out == "validation":
        return parts[0].halves(VALIDATION_SHARE, "validation images")
    train, held = parts
    return train, held


def _labels(field: str, split: Split) -> Labels:
    split.check()
    labels = split.labels()
    if not len(labels.values):
        raise InvalidConfig(field, f"{split.title} has no images", fix="name another, or fill it")
    return labels


def _part(data: Data, names: Sequence[str] | None, split: Split, labels: Labels) -> Part:
    chosen = class_labels(labels, names, data.classes, split.title)
    rows = np.flatnonzero(chosen != LEFT_OUT)
    return Part(split, rows, chosen[rows])
