"""Typed settings of the networks, solvers and training loops. Nothing heavy is imported here: a config that is
built from these can be checked before torch is loaded."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError


class Settings(BaseModel):
    """Base of all config models: frozen, and an unknown name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Data(Settings):
    """The images: where they come from, what is a label, and which of them are held out."""

    source: str = Field(
        description="digits (embedded), an id on the Hugging Face hub such as uoft-cs/cifar100, a directory of Parquet "
        "files in the hub's layout (train-00000-of-00001.parquet), an image folder (train/CLASS/x.png), or a single "
        "Parquet file; of digits and of a single file a fixed quarter of every class is the test set",
        min_length=1,
    )
    revision: str | None = Field(description="commit, tag or branch of a hub id; none for its newest")
    image_column: str = Field(description="column of the images; image in an image folder")
    label_column: str = Field(
        description="column of the labels: whole numbers from 0, or names with a class list; label in an image folder"
    )
    train_split: str = Field(description="split that is trained on")
    test_split: str = Field(description="split that is tested on")
    class_list: str | None = Field(
        description="file that names the classes to take, one a line, in the order of their labels; none for all. "
        "Classes that have no names are called by their numbers"
    )
    classes: int = Field(description="number of classes", ge=2, le=10_000)
    held_out: Literal["test", "validation"] = Field(
        description="images that accuracies are measured on; hyperparameters are chosen on validation, "
        "a fifth of the training images that is then not trained on"
    )


class Backbone(Settings):
    """Architecture of the U-Net."""

    image_channels: int = Field(description="channels of an image", ge=1, le=64)
    image_side: int = Field(description="pixels per side of an image", ge=4, le=4096)
    channels: int = Field(description="width of the first level, channels", ge=1, le=8192)
    channel_mult: tuple[int, ...] = Field(description="width of each level as a multiple of the first", min_length=1)
    res_blocks: int = Field(description="residual blocks per level", ge=1, le=64)
    attention_resolutions: tuple[int, ...] = Field(description="feature-map sides with self-attention, pixels")
    head_channels: int = Field(description="channels per attention head", ge=1)
    norm_groups: int = Field(description="groups of every group normalisation", ge=1)
    dropout: float = Field(
        description="dropout probability in residual blocks; the paper's is lost, its presets fall back on 0",
        ge=0,
        lt=1,
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not all(1 <= mult <= 64 for mult in self.channel_mult):
            raise _misfit("channel_mult", "a level is 1 to 64 times as wide as the first")
        halved = 2 ** (len(self.channel_mult) - 1)
        if self.image_side % halved:
            raise _misfit("image_side", f"{self.image_side} pixels cannot be halved {len(self.channel_mult) - 1} times")
        if self.channels % 2 or self.channels % self.norm_groups:
            raise _misfit("channels", f"{self.channels} channels are odd, or no multiple of {self.norm_groups} groups")
        for mult in self.channel_mult if self.attention_resolutions else ():
            if self.channels * mult > self.head_channels and self.channels * mult % self.head_channels:
                raise _misfit("head_channels", f"{self.head_channels} do not divide {self.channels * mult} channels")
        return self


def _misfit(field: str, message: str) -> PydanticCustomError:
    """``field`` lets the message point at the value."""
    return PydanticCustomError("misfit", "{message}", {"message": message, "field": field})


class FlowTraining(Settings):
    """Training of a vector field with Adam."""

    iterations: int = Field(description="optimiser steps", ge=1)
    batch: int = Field(description="images per step", ge=1)
    lr: float = Field(
        description="learning rate after the warm-up; the paper's is lost, its presets fall back on 2e-4 for the base "
        "and 1e-3 for adapters",
        gt=0,
    )
    warmup: int = Field(description="steps of linear warm-up of the learning rate", ge=1)
    ema: float = Field(
        description="decay of the moving average per step; the paper's is lost, its presets fall back on 0.9999",
        ge=0,
        lt=1,
    )
    ema_from: int = Field(description="step from which the moving average is taken", ge=0)


class Solver(Settings):
    """The ODE solver that turns noise into images."""

    method: Literal["euler", "midpoint", "rk4", "dopri5"] = Field(description="torchdiffeq's name of the method")
    grid_points: int = Field(description="time points on [0, 1] of a fixed-step method: steps + 1", ge=2)
    rtol: float = Field(
        description="relative tolerance of dopri5; the paper's is lost, its presets fall back on 1e-5", gt=0
    )
    atol: float = Field(
        description="absolute tolerance of dopri5, in units of a pixel in [-1, 1]; lost and set like rtol", gt=0
    )


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


class Quality(Settings):
    """How synthetic images are compared with real ones, in the space of a network's features."""

    features: Literal["none", "resnet18", "inception"] = Field(
        description="network of the features: resnet18 is this project's own classifier of the real images, and the "
        "distance is then called FD; inception is the network of the FID and needs weights; none leaves quality out"
    )
    weights: str | None = Field(description="file with the weights of the FID's Inception network")
    neighbours: int = Field(description="k of the nearest neighbours of precision and recall", ge=1)
    grid: bool = Field(description="whether samples are drawn as a picture beside those of a multi-task model")


class Tasks(Settings):
    """How the classes arrive."""

    first: int = Field(description="classes in the first task", ge=1)
    later: int = Field(description="classes in every later task", ge=1)


class Samples(Settings):
    """Synthetic images per class, made in chunks: more chunks contain the first ones."""

    chunk: int = Field(description="images per chunk and class", ge=1)
    chunks: int = Field(description="chunks per class", ge=1, le=1000)
    batch: int = Field(
        description="images integrated at a time; the noise does not depend on it, and a fixed-step solver's samples "
        "only by rounding, while dopri5 pools its error over these images",
        ge=1,
    )
