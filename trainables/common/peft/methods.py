"""The PEFT methods by the names that configs and artifacts know them by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainables.common.peft.lora import LORA_CONV_V1, LORA_CONV_V2
from trainables.common.peft.low_rank import LOW_RANK
from trainables.common.peft.method import Method
from trainables.common.peft.scale_shift import SCALE_SHIFT

METHODS: Mapping[str, Method[Any]] = {
    "low_rank": LOW_RANK,
    "scale_shift": SCALE_SHIFT,
    "lora_conv_v1": LORA_CONV_V1,
    "lora_conv_v2": LORA_CONV_V2,
}
