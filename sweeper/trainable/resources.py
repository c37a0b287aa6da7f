"""Resource requests of stages: declared by the stage, and changed by a search space."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ByteSize, ConfigDict, Field

ROUNDING = 1e-6
"""Tolerance for shares of a GPU, which are sums of fractions."""


def own_cpus() -> int:
    """Return the number of CPU threads that this process may use, or of the machine if the system does not limit it."""
    if hasattr(os, "sched_getaffinity"):  # on Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, order=True)
class Resources:
    """A resource request, by which the scheduler packs stages. Not part of a stage's key."""

    cpus: int
    """CPU threads that are reserved for the stage, and that it uses."""
    gpus: float
    """Share of a GPU; with 0, or on a cluster without GPUs, the stage runs on the CPU."""
    memory: int
    """Bytes of main memory; 0 reserves none."""

    def fits(self, free: Resources) -> bool:
        """Check whether ``free`` covers the request."""
        return self.cpus <= free.cpus and self.gpus <= free.gpus + ROUNDING and self.memory <= free.memory

    def plus(self, other: Resources) -> Resources:
        """Return the sum of both."""
        return Resources(self.cpus + other.cpus, self.gpus + other.gpus, self.memory + other.memory)

    def without(self, used: Resources) -> Resources:
        """Return the difference of both."""
        return Resources(self.cpus - used.cpus, self.gpus - used.gpus, self.memory - used.memory)

    def __str__(self) -> str:
        """Format as ``1 CPU, 0.25 GPU, 4.0 GiB of memory``."""
        parts = [f"{self.cpus} CPU", *([f"{self.gpus:g} GPU"] if self.gpus else [])]
        return ", ".join([*parts, *([f"{self.memory / 2**30:.1f} GiB of memory"] if self.memory else [])])


class ResourceChanges(BaseModel):
    """Changes of a search space to the resource request of one stage."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    cpus: Annotated[int, Field(ge=1)] | None = Field(None, description="CPU threads, at least 1")
    gpus: Annotated[float, Field(ge=0, le=64)] | None = Field(None, description="share of a GPU, such as 0.5")
    memory: ByteSize | None = Field(None, description="main memory, such as 4GiB")

    def over(self, declared: Resources) -> Resources:
        """Apply the changes to a declared request."""
        return Resources(**{**vars(declared), **self.model_dump(exclude_none=True)})
