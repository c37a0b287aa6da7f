import io
from pathlib import Path

import numpy as np
import pytest
from inline_snapshot import snapshot
from PIL import Image

from sweeper.errors import SweeperError
from tests.trainables.common.data.sources.written import encoded, noise
from trainables.common.data.sources.pixels import read_pixels


def read(file: object, channels: int = 1, side: int = 8) -> np.ndarray:
    pixels = read_pixels(file, "row 3 of split train", channels, side)
    assert pixels.dtype == np.uint8
    assert pixels.shape == (channels, side, side)
    return pixels


@pytest.mark.parametrize("side", [8, 16, 32, 64])
def test_an_image_of_the_right_size_keeps_every_byte(side, tmp_path) -> None:
    grey, colours = noise(1, (side, side))[0], noise(1, (side, side, 3))[0]
    assert np.array_equal(read(encoded(grey), 1, side)[0], grey)
    assert np.array_equal(read(encoded(colours), 3, side), colours.transpose(2, 0, 1))
    path = tmp_path / "a.png"
    path.write_bytes(encoded(colours))
    assert np.array_equal(read(path, 3, side), colours.transpose(2, 0, 1))
    assert np.array_equal(read(Image.fromarray(grey), 1, side)[0], grey)


def test_grey_images_have_three_equal_channels_in_rgb() -> None:
    grey = noise(1)[0]
    assert np.array_equal(read(encoded(grey), 3), np.stack([grey] * 3))
    assert np.array_equal(read(encoded(np.stack([grey] * 3, axis=2)), 1)[0], grey)


def test_the_centre_of_an_oblong_image_is_taken() -> None:
    wide = noise(1, (8, 13))[0]
    assert np.array_equal(read(encoded(wide))[0], wide[:, 2:10])
    assert np.array_equal(read(encoded(wide.T.copy()))[0], wide[:, 2:10].T)


@pytest.mark.parametrize("old", [16, 32, 64])
def test_a_smaller_image_shows_the_average_of_what_it_covers(old) -> None:
    """Without antialiasing a pattern of single pixels would come out black, white or as another pattern."""
    stripes = np.zeros((old, old), dtype=np.uint8)
    stripes[:, ::2] = 255
    inner = read(encoded(stripes))[0, :, 2:-2]  # the filter is cut off at the edge
    assert np.all(np.abs(inner.astype(int) - 127.5) < 8)


def test_a_larger_image_keeps_its_level() -> None:
    flat = np.full((8, 8), 77, dtype=np.uint8)
    assert np.all(read(encoded(flat), 3, 64) == 77)


def test_grey_of_sixteen_bits_is_scaled_to_eight() -> None:
    values = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    assert np.array_equal(read(encoded(Image.fromarray(values)))[0], np.rint(values / 257).astype(np.uint8))
    whole = np.linspace(0, 65535, 64).astype(np.int32).reshape(8, 8)
    assert np.array_equal(read(encoded(Image.fromarray(whole), "TIFF"))[0], np.rint(whole / 257).astype(np.uint8))


def test_black_and_white_is_the_darkest_and_the_brightest() -> None:
    bits = noise(1)[0] > 127
    assert np.array_equal(read(encoded(Image.fromarray(bits)))[0], bits * np.uint8(255))


def test_a_palette_is_looked_up() -> None:
    image = Image.new("P", (8, 8))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((3, 5), 1)
    pixels = read(encoded(image), 3)
    assert pixels[:, 0, 0].tolist() == [10, 20, 30]
    assert pixels[:, 5, 3].tolist() == [40, 50, 60]


def test_what_is_transparent_shows_white_and_what_is_not_keeps_its_bytes() -> None:
    colours = noise(1, (8, 8, 4))[0]
    colours[..., 3] = 255
    colours[0, 0, 3] = 0
    pixels = read(encoded(colours), 3)
    assert pixels[:, 0, 0].tolist() == [255, 255, 255]
    assert np.array_equal(pixels.reshape(3, -1)[:, 1:], colours[..., :3].transpose(2, 0, 1).reshape(3, -1)[:, 1:])


def test_grey_with_alpha_and_a_transparent_palette_too() -> None:
    grey = noise(1, (8, 8, 2))[0]
    grey[..., 1] = 255
    grey[0, 0, 1] = 0
    pixels = read(encoded(grey))[0]
    assert pixels[0, 0] == 255
    assert np.array_equal(pixels.ravel()[1:], grey[..., 0].ravel()[1:])
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putpixel((0, 0), 0)
    palette.info["transparency"] = 0
    pixels = read(encoded(palette), 3)
    assert pixels[:, 0, 0].tolist() == [255, 255, 255]
    assert pixels[:, 1, 1].tolist() == [40, 50, 60]


def test_cmyk_becomes_the_colours_it_prints() -> None:
    image = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    red = read(encoded(image, "TIFF"), 3)[:, 4, 4]
    assert red.tolist() == [255, 0, 0]


def test_a_photograph_is_turned_as_the_camera_was_held() -> None:
    pixels = noise(1, (8, 8, 3))[0]
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned right by a quarter
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", exif=exif)
    assert np.array_equal(read(buffer.getvalue(), 3), np.rot90(pixels, -1).transpose(2, 0, 1))


def test_a_photograph_whose_notes_are_damaged_is_taken_as_it_is() -> None:
    pixels, buffer = noise(1, (8, 8, 3))[0], io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", exif=b"Exif\0\0no such thing")
    assert np.array_equal(read(buffer.getvalue(), 3), pixels.transpose(2, 0, 1))


PNG = encoded(noise(1, (64, 64))[0])
DAMAGED = {
    "missing": (None, "there is no image"),
    "empty": (b"", "it is not an image file"),
    "text": (b"<html>404</html>", "it is not an image file"),
    "cut": (PNG[: len(PNG) // 2], "image file is truncated"),
    "overwritten": (PNG[:60] + bytes(200) + PNG[260:], ""),
    "floats": (
        encoded(Image.new("F", (8, 8)), "TIFF"),
        "its pixels are floating point numbers, whose range is unknown",
    ),
    "deep": (encoded(Image.new("I", (8, 8), 2**20), "TIFF"), "its pixels have more than 16 bits"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_image_is_named_with_what_is_wrong(name) -> None:
    file, reason = DAMAGED[name]
    with pytest.raises(SweeperError) as error:
        read(file)
    assert error.value.message.startswith(f"row 3 of split train cannot be read: {reason}")
    assert error.value.fix == snapshot("repair the image, or take it out")
    assert "0x" not in error.value.message


def test_a_file_of_no_bytes_is_named_too(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.touch()
    with pytest.raises(SweeperError, match="cannot be read: it is not an image file"):
        read(path)
