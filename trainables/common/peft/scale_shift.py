"""A scale and a shift per input channel: the layer of s * x + h, merged into its weight and bias.

    W = W_0 * s,    b = b_0 + sum W_0 h

Every adapted layer starts as the frozen one: s = 1 and h = 0. The shift reaches the padding too: so it is a change of
the bias. A layer without a bias gets the scale alone.
"""

from __future__ import annotations

import torch

from trainables.common.peft.method import Layer, Method, Parameters
from trainables.common.peft.settings import ScaleShift


def _create(settings: ScaleShift, layer: Layer) -> Parameters:
    channels = layer.weight.shape[1]
    scale = {"scale": torch.ones(channels)}
    return scale if layer.bias is None else scale | {"shift": torch.zeros(channels)}


def _merge(settings: ScaleShift, layer: Layer, learned: Parameters) -> Parameters:
    taps = layer.weight.reshape(*layer.weight.shape[:2], -1)  # (c_out, c_in, taps)
    scaled = {"weight": (taps * learned["scale"][:, None]).view_as(layer.weight)}
    return scaled if layer.bias is None else scaled | {"bias": layer.bias + taps.sum(2) @ learned["shift"]}


SCALE_SHIFT = Method(ScaleShift, _create, _merge)
