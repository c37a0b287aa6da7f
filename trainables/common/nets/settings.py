"""Settings of networks."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from trainables.common.settings import Settings


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
