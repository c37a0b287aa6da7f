"""Image files as uint8 pixels of one size."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from sweeper import SweeperError
from trainables.common.data.sources.labelled import ImageFile

SIXTEEN_BITS = 65_535


def read_pixels(file: ImageFile, place: str, channels: int, side: int) -> NDArray[np.uint8]:
    """Read the pixels (C, side, side) of an image file: upright, as 1 grey or 3 RGB channels, cropped and resized.

    The centre is cropped to a square and resized with Pillow's bicubic filter, which averages over all pixels it
    covers when it makes an image smaller (antialiasing). Pixels of an image that has the size are not touched.

    Raises SweeperError, with ``place``, for a file that is damaged or no image.
    """
    try:
        image = _square(_coloured(_upright(_decoded(file)), "L" if channels == 1 else "RGB"), side)
    except Exception as error:  # decoders of damaged files raise whatever they stumble over
        reason = "it is not an image file" if isinstance(error, UnidentifiedImageError) else str(error)
        raise SweeperError(f"{place} cannot be read: {reason}", fix="repair the image, or take it out") from error
    return np.asarray(image).reshape(side, side, channels).transpose(2, 0, 1)


def _decoded(file: ImageFile) -> Image.Image:
    if file is None:
        raise ValueError("there is no image")
    if isinstance(file, Image.Image):
        return file
    with Image.open(file if isinstance(file, Path) else io.BytesIO(file)) as image:
        image.load()
        return image


def _upright(image: Image.Image) -> Image.Image:
    """Turn a photograph upright: cameras store how they were held. Where that cannot be read, leave it as it is."""
    try:
        turned = ExifTags.Base.Orientation in image.getexif()
    except Exception:
        return image
    return ImageOps.exif_transpose(image) if turned else image


def _coloured(image: Image.Image, mode: str) -> Image.Image:
    """Scale grey of 16 bits to 8, and show transparent parts as white; leave the rest to Pillow."""
    if image.mode.startswith("I"):
        image = _from_sixteen_bits(image)
    elif image.mode == "F":
        raise ValueError("its pixels are floating point numbers, whose range is unknown")
    elif image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return image if image.mode == mode else image.convert("RGB").convert(mode)


def _from_sixteen_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > SIXTEEN_BITS:
        raise ValueError("its pixels have more than 16 bits")
    return Image.fromarray(np.rint(values * 255 / SIXTEEN_BITS).astype(np.uint8))


def _square(image: Image.Image, side: int) -> Image.Image:
    short = min(image.size)
    left, top = (image.width - short) // 2, (image.height - short) // 2
    if image.size != (short, short):
        image = image.crop((left, top, left + short, top + short))
    return image if short == side else image.resize((side, side), Image.Resampling.BICUBIC)
