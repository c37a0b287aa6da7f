"""FunLoRA's adapters and their vanilla forms: two small factors change a layer's weight.

    W = W_0 * F  (mul),    W_0 + F  (add),    W_0 + W_0 * F  (mul_add);    F broadcast over the taps of a kernel

F is A B (vanilla) or a functional matrix of A and B, see `trainables.common.peft.functions`. Every adapted layer starts
as the frozen one: F = 1 for mul (A and B ones, further ranks with a zero B), F = 0 for add and mul_add (B zero, or
lambda zero with functions).

The copy of the paper at hand does not spell mul_add out; W_0 + W_0 * F is this project's reading.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from trainables.common.peft.functions import functional_matrix, initial_frequencies, initial_ponderations
from trainables.common.peft.method import Layer, Method, Parameters, kaiming
from trainables.common.peft.settings import LowRank


def low_rank_matrix(settings: LowRank, learned: Mapping[str, Tensor], c_out: int, c_in: int) -> Tensor:
    """Return F of one layer, (c_out, c_in). With ratio r, A and B are r times shorter and repeated."""
    a = learned["A"].repeat(settings.ratio, 1)[:c_out]
    b = learned["B"].repeat(1, settings.ratio)[:, :c_in]
    if settings.functions == "none":
        return a @ b
    omega = learned["omega"] if "omega" in learned else initial_frequencies(settings.p, a.device)
    return functional_matrix(settings.functions, a, b, learned["lambda"], omega.to(a.dtype))


def _create(settings: LowRank, layer: Layer) -> Parameters:
    c_out, c_in = (math.ceil(size / settings.ratio) for size in layer.weight.shape[:2])
    multiplies = settings.operation == "mul"
    learned = {"A": kaiming(c_out, settings.rank), "B": torch.zeros(settings.rank, c_in)}
    if multiplies:
        learned["A"][:, 0], learned["B"][0] = 1.0, 1.0
    if settings.functions == "none":
        return learned
    if not multiplies:
        learned["B"] = kaiming(
            settings.rank, c_in
        )  # with B zero no cosine has a slope: lambda is the factor that is zero
    learned["lambda"] = initial_ponderations(settings.functions, settings.p, float(multiplies))
    if settings.functions.endswith("_learned"):
        learned["omega"] = initial_frequencies(settings.p)
    return learned


def _merge(settings: LowRank, layer: Layer, learned: Parameters) -> Parameters:
    weight = layer.weight
    factor = low_rank_matrix(settings, learned, *weight.shape[:2])
    factor = factor.reshape(*factor.shape, *[1] * (weight.dim() - 2))
    if settings.operation == "add":
        return {"weight": weight + factor}
    return {"weight": weight * (factor if settings.operation == "mul" else 1 + factor)}


LOW_RANK = Method(LowRank, _create, _merge)
