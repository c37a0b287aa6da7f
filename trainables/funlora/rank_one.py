"""Multiplicative rank-1 adapters of one class on chosen layers of the frozen network.

    W_y = W_0 * (A B),   A in R^{c_out x 1},  B in R^{1 x c_in},  broadcast over the k x k taps

A and B start at all ones, so the adapted network starts as the base. A layer costs c_in + c_out parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.func import functional_call

from sweeper.stage import InvalidConfig
from trainables.flow import VectorField
from trainables.unet import UNet, conv_layers

Parameters = dict[str, Tensor]


def chosen_layers(net: UNet, layers: str) -> list[str]:
    """Names of the Conv2d layers in a range such as ``40-54``; none for ``none``.

    Raises InvalidConfig when the network has fewer layers.
    """
    if layers == "none":
        return []
    names = [name for name, _ in conv_layers(net)]
    first, last = (int(index) for index in layers.split("-"))
    if last >= len(names):
        raise InvalidConfig(
            "adapter.layers",
            f"{layers} is out of bounds",
            fix=f"this backbone's Conv2d layers are 0-{len(names) - 1}",
        )
    return names[first : last + 1]


def rank_one(net: UNet, layers: Sequence[str]) -> Parameters:
    """A (c_out,) and B (c_in,) of every layer, all ones, on the network's device."""
    parameters = {}
    for name in layers:
        weight = net.get_parameter(f"{name}.weight")
        parameters[f"{name}.A"] = torch.ones(weight.shape[0], device=weight.device)
        parameters[f"{name}.B"] = torch.ones(weight.shape[1], device=weight.device)
    return parameters


def merged_weights(net: UNet, adapter: Mapping[str, Tensor]) -> Parameters:
    """W_0 * (A B) of every adapted layer by the name of the weight, (c_out, c_in, k, k)."""
    weights = {}
    for name in [name.removesuffix(".A") for name in adapter if name.endswith(".A")]:
        factor = torch.outer(adapter[f"{name}.A"], adapter[f"{name}.B"])
        weights[f"{name}.weight"] = net.get_parameter(f"{name}.weight") * factor[:, :, None, None]
    return weights


def class_field(net: UNet, weights: Mapping[str, Tensor], embedding: Tensor) -> VectorField:
    """The vector field of one class: the network with merged weights and the class's embedding row.

    Args:
        net: the frozen base.
        weights: from `merged_weights`.
        embedding: (E,).

    Returns:
        v(x, t, y); y is ignored.
    """
    swapped = {**weights, "class_embedding.weight": embedding[None]}

    def field(x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        velocity: Tensor = functional_call(net, swapped, (x, t, torch.zeros_like(y)))
        return velocity

    return field
