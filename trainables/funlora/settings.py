"""Settings of a class-incremental run that are FunLoRA's own. Torch-free, as `trainables.common.settings`."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from trainables.common.settings import FlowTraining

NUMBER = "(?:0|[1-9][0-9]{0,5})"
"""Written in one way: equal layers have equal text, and so equal keys."""


def _layers(value: Any) -> str:
    """Canonical text: parts joined by commas, without spaces. Raises PydanticCustomError."""
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


class Adapter(FlowTraining):
    """What a new class learns on the frozen base, see `trainables.funlora.adapters`, and how."""

    method: Literal["low_rank", "scale_shift", "lora_conv_v1", "lora_conv_v2"] = Field(
        description="what is learned for a layer: low_rank is FunLoRA and its vanilla forms, the others are rivals"
    )
    layers: Layers = Field(
        description="adapted layers: Conv2d by index in registration order (40-54, or 0-4,40-54), by block "
        "(output_blocks.5-8), attention for the projections of all attention blocks, or none"
    )
    functions: Functions = Field(description="functions that raise the rank of low_rank; none for vanilla A B")
    p: int = Field(description="number of functions", ge=1, le=1000)
    operation: Literal["mul", "add", "mul_add"] = Field(
        description="how low_rank changes the weight: W F, W + F, or W + W F (the paper does not spell mul_add out)"
    )
    ratio: int = Field(description="how many times shorter A and B of low_rank are; they are repeated", ge=1)
    rank: int = Field(description="columns of A and rows of B", ge=1, le=4096)
    raised: Layers = Field(description="adapted layers whose rank is one higher, or none")
    train_embedding: bool = Field(
        description="whether a new class's embedding row is trained; else it stays the mean of the first task's rows, "
        "so that the PPC counts all that is learned for a class"
    )

    @model_validator(mode="after")
    def _has_an_effect(self) -> Self:
        without: dict[str, str | int] = {"functions": "none", "ratio": 1} if self.method != "low_rank" else {}
        if self.method == "scale_shift":
            without |= {"rank": 1, "raised": "none"}
        for name, neutral in without.items():
            if getattr(self, name) != neutral:
                raise PydanticCustomError(
                    "effect",
                    "{method} knows no {name}",
                    {"method": self.method, "name": name, "field": name, "fix": f"set adapter.{name} to {neutral}"},
                )
        return self
