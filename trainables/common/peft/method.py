"""A PEFT method: what is learned for one layer of a frozen network, and how it is merged into the layer.

A layer may be any `Layer`: a method sees its weight (c_out, c_in, *kernel), without a kernel for Linear. As what is
learned is merged into the weight and the bias, an adapted layer runs at the speed of a plain one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar, cast

import torch
from torch import Tensor, nn

from trainables.common.settings import Settings

S = TypeVar("S", bound=Settings)
Layer: TypeAlias = nn.Linear | nn.Conv1d | nn.Conv2d
Parameters: TypeAlias = dict[str, Tensor]


@dataclass(frozen=True)
class Method(Generic[S]):
    """A method with settings of type ``S``.

    An adapter of a network is a flat dictionary: what is learned for a layer, under ``layer/name``.
    """

    settings: type[S]
    create: Callable[[S, Layer], Parameters]
    """Return what is learned for a layer, by name, at its start: on the CPU, drawn from torch's default generator. The
    adapted layer starts as the frozen one."""
    merge: Callable[[S, Layer, Parameters], Parameters]
    """Return the layer's ``weight``, and its ``bias`` if that changes, with what was learned merged in."""

    def start(self, net: nn.Module, chosen: Mapping[str, S]) -> Parameters:
        """Return a new adapter on the network's device, with settings for every adapted layer by its name."""
        values = {}
        for name, settings in chosen.items():
            layer = layer_of(net, name)
            for part, value in self.create(settings, layer).items():
                values[f"{name}/{part}"] = value.to(layer.weight.device)
        return values

    def merged(self, net: nn.Module, settings: S, values: Mapping[str, Tensor]) -> Parameters:
        """Return weights (c_out, c_in, ...) and biases (c_out,) of the adapted layers, by their names in the network.

        Args:
            net: the frozen network.
            settings: those of the adapter; layers of another rank are merged alike.
            values: the adapter, from `start`.
        """
        return {
            f"{name}.{part}": value
            for name, learned in by_layer(values).items()
            for part, value in self.merge(settings, layer_of(net, name), learned).items()
        }


def by_layer(values: Mapping[str, Tensor]) -> dict[str, Parameters]:
    """Return what is learned for each layer, by name, from ``layer/name``."""
    layers: dict[str, Parameters] = {}
    for key, value in values.items():
        layer, _, name = key.partition("/")
        layers.setdefault(layer, {})[name] = value
    return layers


def layer_of(net: nn.Module, name: str) -> Layer:
    """Return a layer of a network by name."""
    return cast(Layer, net.get_submodule(name))


def kaiming(rows: int, columns: int) -> Tensor:
    """Return (rows, columns) drawn from Kaiming's normal distribution for a ReLU-like gain, fan-in = columns."""
    return nn.init.kaiming_normal_(torch.empty(rows, columns))
