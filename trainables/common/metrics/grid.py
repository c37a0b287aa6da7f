"""A picture of samples: a row per class, the incremental model's beside the multi-task model's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from sweeper import StageRun, stage
from trainables.common.data.images import read_images

# Lengths in pixels of the picture.
LEFT, TOP = 40, 24
GAP = 4
BETWEEN = 24
SHORTEST = 48
FONT = 14

Pixels = NDArray[np.uint8]


@stage(name="common.sample_grid", version=1, part="quality")
def sample_grid(run: StageRun, incremental: tuple[Path, ...], multitask: tuple[Path, ...], columns: int) -> None:
    """Draw the first samples of every class.

    Args:
        incremental, multitask: directories with ``train.arrow``, each with images of one class; the classes of both
            in the same order, which is that of the rows.
        columns: images per class and model; where a bank has fewer, the rest stays white.

    Writes ``samples.png``. A pixel of an image is a square of whole pixels of the picture.
    """
    rows = []
    for ours, theirs in zip(incremental, multitask, strict=True):
        (label, left), (other, right) = _first(ours, columns), _first(theirs, columns)
        if label != other:
            raise ValueError(f"samples of class {label} stand beside samples of class {other}")
        rows.append((label, (left, right)))
    draw_grid(rows, columns).save(run.output / "samples.png")


def draw_grid(rows: Sequence[tuple[str, tuple[Pixels, Pixels]]], columns: int) -> Image.Image:
    """Draw rows of a label and the images (N, H, W, 3) of its left and right half, N <= ``columns``."""
    height, width = rows[0][1][0].shape[1:3]
    factor = -(-SHORTEST // min(height, width))
    down, across = height * factor + GAP, width * factor + GAP
    half = columns * across - GAP
    starts = (LEFT, LEFT + half + BETWEEN)
    canvas = np.full((TOP + len(rows) * down, starts[1] + half + GAP, 3), 255, np.uint8)
    for row, (_, halves) in enumerate(rows):
        for start, images in zip(starts, halves, strict=True):
            for column, image in enumerate(images.repeat(factor, axis=1).repeat(factor, axis=2)):
                y, x = TOP + row * down, start + column * across
                canvas[y : y + len(image), x : x + image.shape[1]] = image
    picture = Image.fromarray(canvas)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(FONT)
    for start, title in zip(starts, ("incremental", "multi-task"), strict=True):
        draw.text((start, TOP // 2), title, "black", font, anchor="lm")
    for row, (label, _) in enumerate(rows):
        draw.text((LEFT - GAP, TOP + row * down + (down - GAP) // 2), label, "black", font, anchor="rm")
    return picture


def _first(bank: Path, count: int) -> tuple[str, Pixels]:
    """Return the class of a bank and its first images in colour (count, H, W, 3)."""
    images, labels = read_images(bank / "train.arrow")
    return str(int(labels[0])), images[:count].expand(-1, 3, -1, -1).permute(0, 2, 3, 1).numpy()
