"""Data sets of noise."""

from pathlib import Path

import torch

from trainables.common.data.images import write_images


def write_data(directory: Path, images: torch.Tensor, labels: torch.Tensor) -> Path:
    directory.mkdir()
    for name in ("train", "held_out"):
        write_images(directory / f"{name}.arrow", images, labels)
    return directory


def noise_images(classes: int = 4, each: int = 10, side: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(7)
    pixels = torch.randint(256, (classes * each, 1, side, side), generator=generator, dtype=torch.uint8)
    return pixels, torch.arange(classes).repeat(each)


def altered(tmp_path: Path, label: int) -> Path:
    """The data set with every image of the other classes inverted."""
    images, labels = noise_images()
    images[labels != label] = 255 - images[labels != label]
    return write_data(tmp_path / f"altered{label}", images, labels)
