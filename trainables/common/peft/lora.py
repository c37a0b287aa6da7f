"""LoRA as in loralib (Hu et al. 2021), for convolutions with kernels of side k and for Linear, where k = 1.

    lora_conv_v1  W = W_0 + reshape(B A),  A in R^{r k x c_in k},  B in R^{c_out k x r k}   (loralib's)
    lora_conv_v2  W = W_0 + reshape(B A),  A in R^{r x c_in k},    B in R^{c_out k x r}

Every adapted layer starts as the frozen one: B is zero. On a layer without a kernel both are LoRA.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from trainables.common.peft.method import Layer, Method, Parameters, kaiming
from trainables.common.peft.settings import Lora


def _create(kernel_in_bottleneck: bool) -> Callable[[Lora, Layer], Parameters]:
    def create(settings: Lora, layer: Layer) -> Parameters:
        c_out, c_in, k, *_ = *layer.weight.shape, 1
        inner = settings.rank * k if kernel_in_bottleneck else settings.rank
        return {"A": kaiming(inner, c_in * k), "B": torch.zeros(c_out * k, inner)}

    return create


def _merge(settings: Lora, layer: Layer, learned: Parameters) -> Parameters:
    return {"weight": layer.weight + (learned["B"] @ learned["A"]).view_as(layer.weight)}


LORA_CONV_V1 = Method(Lora, _create(kernel_in_bottleneck=True), _merge)
LORA_CONV_V2 = Method(Lora, _create(kernel_in_bottleneck=False), _merge)
