"""Settings of a class-incremental run that are FunLoRA's own. Torch-free."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from trainables.common.flow.settings import FlowTraining
from trainables.common.peft.settings import Layers, LowRank


class Adapter(LowRank, FlowTraining):
    """The adapter of a new class on the frozen base, see `trainables.common.peft`, and its training.

    The rivals of low_rank have no settings of their own but the rank.
    """

    method: Literal["low_rank", "scale_shift", "lora_conv_v1", "lora_conv_v2"] = Field(
        description="what is learned for a layer: low_rank is FunLoRA and its vanilla forms, the others are rivals"
    )
    layers: Layers = Field(
        description="adapted layers: Conv2d by index in registration order (40-54, or 0-4,40-54), by block "
        "(output_blocks.5-8), attention for the projections of all attention blocks, or none"
    )
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
