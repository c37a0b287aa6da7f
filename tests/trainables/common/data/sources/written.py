"""Data sets as users have them: the digits, or noise, as Parquet files and image folders."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits

from trainables.common.data.settings import Data

Pixels = Sequence[NDArray[np.uint8]]
STRUCT = pa.struct({"bytes": pa.binary(), "path": pa.string()})


def data(source: object, **changes: object) -> Data:
    values = {
        "source": str(source),
        "revision": None,
        "image_column": "image",
        "label_column": "label",
        "train_split": "train",
        "test_split": "test",
        "class_list": None,
        "classes": 10,
        "held_out": "test",
    }
    return Data(**{**values, **changes})


def digit_images() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """All digits (1797, 8, 8) and their labels, shuffled as the data set comes."""
    digits = load_digits()
    return np.rint(digits.images * 255 / 16).astype(np.uint8), digits.target.astype(np.int64)


def noise(count: int, shape: tuple[int, ...] = (8, 8), seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(256, size=(count, *shape), dtype=np.uint8)


def encoded(pixels: NDArray[np.uint8] | Image.Image, kind: str = "PNG") -> bytes:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def write_table(path: Path, columns: Mapping[str, object], metadata: Mapping[str, str] | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns).replace_schema_metadata(metadata), path, row_group_size=50)
    return path


def write_parquet(path: Path, files: Sequence[bytes | None], labels: object, names: tuple[str, str] = ()) -> Path:
    """A file as the hub has them, without the metadata of `datasets`."""
    image, label = names or ("image", "label")
    structs = pa.array([{"bytes": file, "path": None} for file in files], STRUCT)
    return write_table(path, {image: structs, label: labels})


def pngs(pixels: Pixels) -> list[bytes]:
    return [encoded(each) for each in pixels]


def write_folder(folder: Path, files: Sequence[bytes], classes: Sequence[object]) -> Path:
    """A split of an image folder; files are numbered in their order."""
    for number, (file, name) in enumerate(zip(files, classes, strict=True)):
        path = folder / str(name) / f"{number:05}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file)
    return folder
