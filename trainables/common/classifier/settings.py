"""Settings of classifiers."""

from __future__ import annotations

from pydantic import Field

from trainables.common.settings import Settings


class ClassifierTraining(Settings):
    """The ResNet18 that is trained from scratch after every task, with SGD and a one-cycle schedule."""

    width: int = Field(description="channels of the first level; 64 is ResNet18", ge=1)
    epochs: int = Field(description="passes over its training images", ge=1)
    batch: int = Field(description="images per step", ge=2)
    lr: float = Field(
        description="largest learning rate of the cycle; the paper's is lost, its presets fall back on 0.1", gt=0
    )
    momentum: float = Field(
        description="momentum of SGD; the paper's is lost, its presets fall back on 0.9", ge=0, lt=1
    )
    weight_decay: float = Field(description="L2 penalty; the paper's is lost, its presets fall back on 5e-4", ge=0)
    crop: int = Field(description="random shift, pixels", ge=0)
    flip: bool = Field(description="random horizontal flip")
