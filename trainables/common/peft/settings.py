"""Which layers are adapted, and what the PEFT methods have to choose. Torch-free."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from trainables.common.settings import Settings

NUMBER = "(?:0|[1-9][0-9]{0,5})"
"""Written in one way: equal layers have equal text, and so equal keys."""


def _layers(value: Any) -> str:
    """Return canonical text: parts joined by commas, without spaces. Raises PydanticCustomError."""
    parts = value if isinstance(value, list) else [value]
    text = ",".join(str(part) for part in parts)
    parts = [part.strip() for part in text.split(",")]
    for part in parts:
        match = re.fullmatch(rf"(?:([a-z_]+(?:\.{NUMBER})*?)\.)?({NUMBER})(?:-({NUMBER}))?|[a-z_]+", part)
        if not match or (part == "none" and len(parts) > 1):
            raise PydanticCustomError(
                "layers", "expected indices such as 40-54, blocks such as output_blocks.5-8, attention, or none"
            )
        if match[3] and int(match[2]) > int(match[3]):
            block = f"{match[1]}." if match[1] else ""
            turned = {"block": block, "first": match[3], "last": match[2]}
            raise PydanticCustomError("layers", "the range is reversed: write {block}{first}-{last}", turned)
    return ",".join(parts)


Layers = Annotated[str, BeforeValidator(_layers)]
"""Layers by index or by block, one part or several: see `trainables.common.peft.layers`."""

Functions = Literal["none", "rshift", "power", "power_learned", "cosine", "cosine_learned"]
Operation = Literal["mul", "add", "mul_add"]


class ScaleShift(Settings):
    """A scale and a shift per input channel leave nothing to choose."""


class Lora(Settings):
    """Two factors whose product is added to the weight."""

    rank: int = Field(description="columns of A and rows of B", ge=1, le=4096)


class LowRank(Settings):
    """A functional matrix, or a plain product of two factors, that changes the weight."""

    functions: Functions = Field(description="functions that raise the rank of low_rank; none for vanilla A B")
    p: int = Field(description="number of functions", ge=1, le=1000)
    operation: Operation = Field(
        description="how low_rank changes the weight: W F, W + F, or W + W F (the paper does not spell mul_add out)"
    )
    ratio: int = Field(description="how many times shorter A and B of low_rank are; they are repeated", ge=1)
    rank: int = Field(description="columns of A and rows of B", ge=1, le=4096)
