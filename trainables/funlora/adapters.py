"""Adapters of one class on the frozen network. A method says, for one layer, what is learned and how it is merged
into the layer's weight and bias, so that an adapted layer runs at the speed of a plain one.

    low_rank      W = W_0 * F  (mul),  W_0 + F  (add),  W_0 + W_0 * F  (mul_add);  F broadcast over the taps of a kernel
    scale_shift   the layer of s * x + h, a scale and a shift per input channel:  W = W_0 * s,  b = b_0 + sum W_0 h
    lora_conv_v1  W = W_0 + reshape(B A),  A in R^{r k x c_in k},  B in R^{c_out k x r k}   (loralib's)
    lora_conv_v2  W = W_0 + reshape(B A),  A in R^{r x c_in k},    B in R^{c_out k x r}

F is A B (vanilla) or a functional matrix of A and B (`trainables.funlora.functions`). Every adapted network starts as
the base: F = 1 for mul (A and B ones, further ranks with a zero B), F = 0 for add and mul_add (B zero, or lambda zero
with functions), s = 1 and h = 0, B zero. The shift of scale_shift reaches the padding too: so it is a change of bias.

The copy of the paper at hand does not spell mul_add out; W_0 + W_0 * F is this project's reading.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import torch
from torch import Tensor, nn
from torch.func import functional_call

from sweeper import InvalidConfig
from trainables.common.flow.path import VectorField
from trainables.common.nets.unet import UNet, skeleton
from trainables.common.peft.layers import chosen_layers
from trainables.common.settings import Backbone, FlowTraining
from trainables.funlora.functions import functional_matrix, initial_frequencies, initial_ponderations
from trainables.funlora.settings import Adapter

Parameters = dict[str, Tensor]
Layer = nn.Conv1d | nn.Conv2d

_UNTRAINED = dict.fromkeys(FlowTraining.model_fields, 0)
"""How an adapter is trained has no part in how large it is."""


@dataclass(frozen=True)
class Method:
    """What is learned for a layer, by name, and the layer's weight and bias with it merged in."""

    create: Callable[[Adapter, Layer, int], Parameters]
    """Settings, layer and rank to parameters on the CPU, drawn from torch's default generator."""
    merge: Callable[[Adapter, Layer, Parameters], Parameters]


def new_adapter(net: UNet, adapter: Adapter) -> Parameters:
    """What is learned for a class, as ``layer/name``, at its start, on the network's device.

    Raises InvalidConfig for layers that the network does not have.
    """
    method = METHODS[adapter.method]
    layers, raised = chosen_layers(net, adapter.layers), chosen_layers(net, adapter.raised, "adapter.raised")
    if other := sorted(set(raised) - set(layers)):
        raise InvalidConfig("adapter.raised", f"{other[0]} is not adapted", fix="raise layers of adapter.layers alone")
    values = {}
    for name in layers:
        layer = _layer(net, name)
        for part, value in method.create(adapter, layer, adapter.rank + (name in raised)).items():
            values[f"{name}/{part}"] = value.to(layer.weight.device)
    return values


def adapter_size(backbone: Backbone, classes: int, adapter: Adapter) -> int:
    """Numbers that are learned for a class, whatever the training. Raises InvalidConfig as `new_adapter` does."""
    return _size(backbone, classes, adapter.model_copy(update=_UNTRAINED))


@lru_cache(maxsize=1024)
def _size(backbone: Backbone, classes: int, adapter: Adapter) -> int:
    return sum(value.numel() for value in new_adapter(skeleton(backbone, classes), adapter).values())


def merged(net: UNet, adapter: Adapter, values: Mapping[str, Tensor]) -> Parameters:
    """Weights (c_out, c_in, ...) and biases (c_out,) of the adapted layers, by the names of the network's."""
    method = METHODS[adapter.method]
    return {
        f"{name}.{part}": value
        for name, learned in by_layer(values).items()
        for part, value in method.merge(adapter, _layer(net, name), learned).items()
    }


def by_layer(values: Mapping[str, Tensor]) -> dict[str, Parameters]:
    """What is learned for each layer by name, from ``layer/name``."""
    layers: dict[str, Parameters] = {}
    for key, value in values.items():
        layer, _, name = key.partition("/")
        layers.setdefault(layer, {})[name] = value
    return layers


def class_field(net: UNet, weights: Mapping[str, Tensor], embedding: Tensor) -> VectorField:
    """The vector field of one class: the network with merged weights and the class's embedding row.

    Args:
        net: the frozen base.
        weights: from `merged`.
        embedding: (E,).

    Returns:
        v(x, t, y); y is ignored.
    """
    swapped = {**weights, "class_embedding.weight": embedding[None]}

    def field(x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        velocity: Tensor = functional_call(net, swapped, (x, t, torch.zeros_like(y)))
        return velocity

    return field


def low_rank_matrix(adapter: Adapter, learned: Mapping[str, Tensor], c_out: int, c_in: int) -> Tensor:
    """F of one layer, (c_out, c_in). With ratio r, A and B are r times shorter and repeated."""
    a = learned["A"].repeat(adapter.ratio, 1)[:c_out]
    b = learned["B"].repeat(1, adapter.ratio)[:, :c_in]
    if adapter.functions == "none":
        return a @ b
    omega = learned["omega"] if "omega" in learned else initial_frequencies(adapter.p, a.device)
    return functional_matrix(adapter.functions, a, b, learned["lambda"], omega.to(a.dtype))


def _create_low_rank(adapter: Adapter, layer: Layer, rank: int) -> Parameters:
    c_out, c_in = (math.ceil(size / adapter.ratio) for size in layer.weight.shape[:2])
    multiplies = adapter.operation == "mul"
    learned = {"A": _kaiming(c_out, rank), "B": torch.zeros(rank, c_in)}
    if multiplies:
        learned["A"][:, 0], learned["B"][0] = 1.0, 1.0
    if adapter.functions == "none":
        return learned
    if not multiplies:
        learned["B"] = _kaiming(rank, c_in)  # with B zero no cosine has a slope: lambda is the factor that is zero
    learned["lambda"] = initial_ponderations(adapter.functions, adapter.p, float(multiplies))
    if adapter.functions.endswith("_learned"):
        learned["omega"] = initial_frequencies(adapter.p)
    return learned


def _merge_low_rank(adapter: Adapter, layer: Layer, learned: Parameters) -> Parameters:
    weight = layer.weight
    factor = low_rank_matrix(adapter, learned, *weight.shape[:2])
    factor = factor.reshape(*factor.shape, *[1] * (weight.dim() - 2))
    if adapter.operation == "add":
        return {"weight": weight + factor}
    return {"weight": weight * (factor if adapter.operation == "mul" else 1 + factor)}


def _create_scale_shift(adapter: Adapter, layer: Layer, rank: int) -> Parameters:
    return {"scale": torch.ones(layer.weight.shape[1]), "shift": torch.zeros(layer.weight.shape[1])}


def _merge_scale_shift(adapter: Adapter, layer: Layer, learned: Parameters) -> Parameters:
    weight, bias = layer.weight.flatten(2), cast(Tensor, layer.bias)  # (c_out, c_in, taps), (c_out,)
    scaled = (weight * learned["scale"][:, None]).view_as(layer.weight)
    return {"weight": scaled, "bias": bias + weight.sum(2) @ learned["shift"]}


def _create_lora_conv(kernel_in_bottleneck: bool) -> Callable[[Adapter, Layer, int], Parameters]:
    def create(adapter: Adapter, layer: Layer, rank: int) -> Parameters:
        c_out, c_in, k, *_ = layer.weight.shape
        inner = rank * k if kernel_in_bottleneck else rank
        return {"A": _kaiming(inner, c_in * k), "B": torch.zeros(c_out * k, inner)}

    return create


def _merge_lora_conv(adapter: Adapter, layer: Layer, learned: Parameters) -> Parameters:
    return {"weight": layer.weight + (learned["B"] @ learned["A"]).view_as(layer.weight)}


METHODS = {
    "low_rank": Method(_create_low_rank, _merge_low_rank),
    "scale_shift": Method(_create_scale_shift, _merge_scale_shift),
    "lora_conv_v1": Method(_create_lora_conv(kernel_in_bottleneck=True), _merge_lora_conv),
    "lora_conv_v2": Method(_create_lora_conv(kernel_in_bottleneck=False), _merge_lora_conv),
}


def _layer(net: UNet, name: str) -> Layer:
    return cast(Layer, net.get_submodule(name))


def _kaiming(rows: int, columns: int) -> Tensor:
    """Kaiming normal for a ReLU-like gain, fan-in = columns."""
    return nn.init.kaiming_normal_(torch.empty(rows, columns))
