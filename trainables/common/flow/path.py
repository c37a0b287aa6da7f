"""Conditional flow matching on the optimal-transport path (Lipman et al., 2023), with sigma_min = 0.

x_t = (1 - t) x_0 + t x_1,    u_t(x_t | x_1) = x_1 - x_0,    x_0 ~ N(0, I),  t ~ U[0, 1]
loss = E || v(x_t, t, y) - u_t ||^2
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

VectorField = Callable[[Tensor, Tensor, Tensor], Tensor]
"""v(x, t, y)."""
Velocity = Callable[[Tensor, Tensor], Tensor]
"""v(x, t), the field of one class."""


def path_sample(x_0: Tensor, x_1: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """Return a point on the path and its velocity.

    Args:
        x_0: noise, (N, C, H, W).
        x_1: data, (N, C, H, W).
        t: times in [0, 1], (N,).

    Returns:
        x_t and u_t, each (N, C, H, W).
    """
    time = t[:, None, None, None]
    return (1 - time) * x_0 + time * x_1, x_1 - x_0


def flow_matching_loss(field: VectorField, x_1: Tensor, y: Tensor) -> Tensor:
    """Return the mean squared error of the field's velocity over images and pixels, a scalar.

    Noise and times come from torch's default generator.

    Args:
        field: v(x, t, y), see `trainables.common.nets.unet.UNet.forward`.
        x_1: data in [-1, 1], (N, C, H, W).
        y: rows of the class embedding, (N,).
    """
    t = torch.rand(len(x_1), device=x_1.device)
    x_t, u_t = path_sample(torch.randn_like(x_1), x_1, t)
    return (field(x_t, t, y) - u_t).square().mean()
