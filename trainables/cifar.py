"""CIFAR-100 from the files of its binary version: 60,000 colour images of 32x32 pixels in 100 classes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from sweeper.stage import InvalidConfig, StageRun, stage
from trainables.images import write_images
from trainables.splits import VALIDATION_SHARE, stratified

FOLDER = "cifar-100-binary"
IMAGES = {"train.bin": 50_000, "test.bin": 10_000}
RECORD = np.dtype([("coarse", np.uint8), ("fine", np.uint8), ("pixels", np.uint8, (3, 32, 32))])


def check_cifar100() -> None:
    """Raises InvalidConfig unless both files are there in full."""
    for name, count in IMAGES.items():
        path = _folder() / name
        if not path.is_file() or path.stat().st_size != count * RECORD.itemsize:
            raise InvalidConfig(
                "data.name",
                f"{path} is missing or not complete",
                fix=f"put the binary version of CIFAR-100 into {_folder()}, or name its parent in SWEEPER_DATA",
            )


@stage(version=1)
def cifar100(run: StageRun, held_out: Literal["test", "validation"]) -> None:
    """``train.arrow`` and ``held_out.arrow`` with fine labels; validation is a fifth of the training images."""
    train = np.fromfile(_folder() / "train.bin", RECORD)
    held = np.fromfile(_folder() / "test.bin", RECORD)
    if held_out == "validation":
        kept, index = stratified(train["fine"], VALIDATION_SHARE)
        train, held = train[kept], train[index]
    for name, records in (("train", train), ("held_out", held)):
        labels = torch.from_numpy(records["fine"].astype(np.int64))
        write_images(run.output / f"{name}.arrow", torch.from_numpy(records["pixels"].copy()), labels)


def _folder() -> Path:
    return Path(os.environ.get("SWEEPER_DATA", "data")) / FOLDER
