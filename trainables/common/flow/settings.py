"""Settings of flow matching: training, solver and samples."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trainables.common.settings import Settings


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


class Samples(Settings):
    """Synthetic images per class, made in chunks: more chunks contain the first ones."""

    chunk: int = Field(description="images per chunk and class", ge=1)
    chunks: int = Field(description="chunks per class", ge=1, le=1000)
    batch: int = Field(
        description="images integrated at a time; the noise does not depend on it, and a fixed-step solver's samples "
        "only by rounding, while dopri5 pools its error over these images",
        ge=1,
    )
