"""The adapter of one class on the frozen network, as the config describes it: a PEFT method on the chosen layers."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from torch import nn

from sweeper import InvalidConfig
from trainables.common.flow.settings import FlowTraining
from trainables.common.nets.settings import Backbone
from trainables.common.nets.unet import skeleton
from trainables.common.peft.layers import chosen_layers
from trainables.common.peft.method import Parameters
from trainables.common.peft.methods import METHODS
from trainables.common.settings import Settings
from trainables.funlora.settings import Adapter

_UNTRAINED = dict.fromkeys(FlowTraining.model_fields, 0)
"""An adapter's size does not depend on its training, so that sizes are counted once."""


def method_settings(adapter: Adapter, raise_rank: int = 0) -> Settings:
    """Return the settings of the adapter's method alone, with a rank that is ``raise_rank`` higher."""
    model: type[Settings] = METHODS[adapter.method].settings
    values: dict[str, Any] = {name: getattr(adapter, name) for name in model.model_fields}
    return model.model_validate(values | ({"rank": adapter.rank + raise_rank} if "rank" in values else {}))


def new_adapter(net: nn.Module, adapter: Adapter) -> Parameters:
    """Return what is learned for a class, as ``layer/name``, at its start, on the network's device.

    Raises:
        InvalidConfig: for layers that the network does not have.
    """
    layers = chosen_layers(net, adapter.layers)
    raised = set(chosen_layers(net, adapter.raised, field="adapter.raised"))
    if other := sorted(raised - set(layers)):
        raise InvalidConfig("adapter.raised", f"{other[0]} is not adapted", fix="raise layers of adapter.layers alone")
    ranks = [method_settings(adapter), method_settings(adapter, raise_rank=1)]
    return METHODS[adapter.method].start(net, {name: ranks[name in raised] for name in layers})


def adapter_size(backbone: Backbone, classes: int, adapter: Adapter) -> int:
    """Count what is learned for a class, whatever the training. Raises InvalidConfig as `new_adapter` does."""
    return _size(backbone, classes, adapter.model_copy(update=_UNTRAINED))


@lru_cache(maxsize=1024)
def _size(backbone: Backbone, classes: int, adapter: Adapter) -> int:
    return sum(value.numel() for value in new_adapter(skeleton(backbone, classes), adapter).values())
