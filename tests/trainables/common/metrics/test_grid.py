from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.trainables.noise_images import write_data
from trainables.common.data.images import read_images
from trainables.common.metrics.grid import BETWEEN, GAP, LEFT, TOP, sample_grid

COLUMNS = 3
FACTOR = 6
"""48 pixels of the picture for 8 of an image."""
CELL = 8 * FACTOR + GAP
RIGHT = LEFT + COLUMNS * CELL - GAP + BETWEEN


def banks(directory: Path, seed: int, labels=(7, 12), channels: int = 1, count: int = 5) -> tuple[Path, ...]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(
        write_data(
            directory / f"{seed}-{label}",
            torch.randint(255, (count, channels, 8, 8), generator=generator, dtype=torch.uint8),
            torch.full((count,), label),
        )
        for label in labels
    )


def drawn(run, *arguments) -> np.ndarray:
    sample_grid.body(run, *arguments)
    return np.asarray(Image.open(run.output / "samples.png"))


@pytest.mark.parametrize("channels", [1, 3])
def test_every_pixel_of_a_sample_is_a_square_at_the_place_of_its_class_and_model(start, tmp_path, channels) -> None:
    ours, theirs = banks(tmp_path, 0, channels=channels), banks(tmp_path, 1, channels=channels)
    picture = drawn(start(), ours, theirs, COLUMNS)
    for left, half in ((LEFT, ours), (RIGHT, theirs)):
        for row, bank in enumerate(half):
            images, _ = read_images(bank / "train.arrow")
            for column, image in enumerate(images[:COLUMNS]):
                top, side = TOP + row * CELL, left + column * CELL
                for y in range(8 * FACTOR):
                    for x in range(8 * FACTOR):
                        pixel = image[:, y // FACTOR, x // FACTOR].expand(3).tolist()
                        assert picture[top + y, side + x].tolist() == pixel


def test_halves_are_kept_apart_and_titled_and_rows_named(start, tmp_path) -> None:
    picture = drawn(start(), banks(tmp_path, 0), banks(tmp_path, 1), COLUMNS)
    assert (picture[:, RIGHT - BETWEEN : RIGHT] == 255)[TOP:].all()
    for left, right in ((LEFT, RIGHT - BETWEEN), (RIGHT, picture.shape[1])):
        assert (picture[:TOP, left:right] < 100).any()
    for row in range(2):
        assert (picture[TOP + row * CELL : TOP + (row + 1) * CELL, :LEFT] < 100).any()


def test_large_images_keep_their_pixels(start, tmp_path) -> None:
    image = torch.randint(255, (1, 3, 64, 50), dtype=torch.uint8)
    bank = write_data(tmp_path / "bank", image, torch.tensor([0]))
    picture = drawn(start(), (bank,), (bank,), 1)
    assert np.array_equal(picture[TOP : TOP + 64, LEFT : LEFT + 50], image[0].permute(1, 2, 0).numpy())


def test_a_bank_with_fewer_samples_leaves_the_rest_white(start, tmp_path) -> None:
    picture = drawn(start(), banks(tmp_path, 0, count=2), banks(tmp_path, 1), COLUMNS)
    assert (picture[TOP:, LEFT + 2 * CELL - GAP : RIGHT] == 255).all()


def test_a_second_picture_has_the_same_bytes(start, tmp_path) -> None:
    halves = banks(tmp_path, 0), banks(tmp_path, 1)
    first, second = start("first"), start("second")
    for run in (first, second):
        sample_grid.body(run, *halves, COLUMNS)
    assert (first.output / "samples.png").read_bytes() == (second.output / "samples.png").read_bytes()


def test_samples_of_different_classes_are_never_put_side_by_side(start, tmp_path) -> None:
    with pytest.raises(ValueError, match="class 7 stand beside samples of class 12"):
        sample_grid.body(start(), banks(tmp_path, 0), banks(tmp_path, 1, (12, 7)), COLUMNS)
