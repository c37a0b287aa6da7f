"""What a stage asks of the machine it runs on: declared by the stage, changed by a search space."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ByteSize, ConfigDict, Field

ROUNDING = 1e-6
"""Shares of a GPU are sums of fractions."""


def own_cpus() -> int:
    """Return the number of CPU threads that this process may use: all of the machine where the system does not say."""
    if hasattr(os, "sched_getaffinity"):  # on Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, order=True)
class Resources:
    """A request that the scheduler packs by. Not part of a stage's key."""

    cpus: int
    """CPU threads that the stage is given, and that it uses."""
    gpus: float
    """Share of a GPU; 0 keeps the stage on the CPU, as does a cluster without any."""
    memory: int
    """Bytes of main memory; 0 asks for none in particular."""

    def fits(self, free: Resources) -> bool:
        """Whether all of it is free."""
        return self.cpus <= free.cpus and self.gpus <= free.gpus + ROUNDING and self.memory <= free.memory

    def plus(self, other: Resources) -> Resources:
        """Both together."""
        return Resources(self.cpus + other.cpus, self.gpus + other.gpus, self.memory + other.memory)

    def without(self, used: Resources) -> Resources:
        """What is left."""
        return Resources(self.cpus - used.cpus, self.gpus - used.gpus, self.memory - used.memory)

    def __str__(self) -> str:
        """``1 CPU, 0.25 GPU, 4.0 GiB``."""
        parts = [f"{self.cpus} CPU", *([f"{self.gpus:g} GPU"] if self.gpus else [])]
        return ", ".join([*parts, *([f"{self.memory / 2**30:.1f} GiB of memory"] if self.memory else [])])


class ResourceChanges(BaseModel):
    """What a search space changes of the request of one stage."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    cpus: Annotated[int, Field(ge=1)] | None = Field(None, description="CPU threads, at least 1")
    gpus: Annotated[float, Field(ge=0, le=64)] | None = Field(None, description="share of a GPU, such as 0.5")
    memory: ByteSize | None = Field(None, description="main memory, such as 4GiB")

    def over(self, declared: Resources) -> Resources:
        """The request under these changes."""
        return Resources(**{**vars(declared), **self.model_dump(exclude_none=True)})
