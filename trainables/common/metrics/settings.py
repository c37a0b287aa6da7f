"""Settings of the measures of samples."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trainables.common.settings import Settings


class Quality(Settings):
    """The comparison of synthetic images with real ones, in the space of a network's features."""

    features: Literal["none", "resnet18", "inception"] = Field(
        description="network of the features: resnet18 is this project's own classifier of the real images, and the "
        "distance is then called FD; inception is the network of the FID and needs weights; none leaves quality out"
    )
    weights: str | None = Field(description="file with the weights of the FID's Inception network")
    neighbours: int = Field(description="k of the nearest neighbours of precision and recall", ge=1)
    grid: bool = Field(description="whether samples are drawn as a picture beside those of a multi-task model")
