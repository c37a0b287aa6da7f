"""The class-conditional convolutional U-Net of the guided-diffusion family, as a vector field v(x, t, y).

Shapes: N images, C channels, H = W side, E = 4 * channels, the width of the embedding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from trainables.common.nets.settings import Backbone

ModuleT = TypeVar("ModuleT", bound=nn.Module)

TIME_SCALE = 1000.0
"""Times in [0, 1] are embedded as if there were a thousand diffusion steps, the range the frequencies are made for."""


class ResBlock(nn.Module):
    """GroupNorm, SiLU, conv, + embedding, GroupNorm, SiLU, dropout, conv, added to the (1x1-projected) input."""

    def __init__(self, config: Backbone, c_in: int, c_out: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(config.norm_groups, c_in)
        self.conv1 = nn.Conv2d(c_in, c_out, 3, padding=1)
        self.embedding = nn.Linear(4 * config.channels, c_out)
        self.norm2 = nn.GroupNorm(config.norm_groups, c_out)
        self.dropout = nn.Dropout(config.dropout)
        self.conv2 = _zeroed(nn.Conv2d(c_out, c_out, 3, padding=1))
        self.skip = nn.Conv2d(c_in, c_out, 1) if c_in != c_out else nn.Identity()

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """(N, c_in, H, W) and the activated embedding (N, E) to (N, c_out, H, W)."""
        h = self.conv1(F.silu(self.norm1(x)))
        h = h + self.embedding(embedding)[:, :, None, None]
        h = self.conv2(self.dropout(F.silu(self.norm2(h))))
        return self.skip(x) + h  # type: ignore[no-any-return]


class AttentionBlock(nn.Module):
    """Self-attention over the pixels of a feature map, with 1x1 projections as Conv1d."""

    def __init__(self, config: Backbone, channels: int) -> None:
        super().__init__()
        self.heads = max(1, channels // config.head_channels)
        self.norm = nn.GroupNorm(config.norm_groups, channels)
        self.qkv = nn.Conv1d(channels, 3 * channels, 1)
        self.projection = _zeroed(nn.Conv1d(channels, channels, 1))

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape; the embedding is not used."""
        pixels = x.flatten(2)
        qkv = self.qkv(self.norm(pixels)).unflatten(1, (3, self.heads, -1)).transpose(-1, -2)
        q, k, v = qkv.unbind(1)  # each (N, heads, H*W, C/heads)
        attended = F.scaled_dot_product_attention(q, k, v).transpose(-1, -2).flatten(1, 2)
        return x + self.projection(attended).view_as(x)  # type: ignore[no-any-return]


class Downsample(nn.Module):
    """Strided 3x3 convolution, half the side."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C, H/2, W/2); the embedding is not used."""
        return self.conv(x)  # type: ignore[no-any-return]


class Upsample(nn.Module):
    """Nearest-neighbour upsampling and a 3x3 convolution, twice the side."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C, 2H, 2W); the embedding is not used."""
        n, c, h, w = x.shape
        doubled = x[:, :, :, None, :, None].expand(n, c, h, 2, w, 2).reshape(n, c, 2 * h, 2 * w)
        return self.conv(doubled)  # type: ignore[no-any-return]


class Block(nn.ModuleList):
    """Layers in sequence, each given the embedding."""

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """Feature map through all layers."""
        for layer in self:
            x = layer(x, embedding)
        return x


class UNet(nn.Module):
    """Vector field v(x, t, y) of a class-conditional flow. Its Conv2d modules in registration order are the layers.

    Args:
        config: the architecture.
        classes: number of rows of the class embedding.
    """

    def __init__(self, config: Backbone, classes: int) -> None:
        super().__init__()
        self.config = config
        width = 4 * config.channels
        self.time_embedding = nn.Sequential(nn.Linear(config.channels, width), nn.SiLU(), nn.Linear(width, width))
        self.class_embedding = nn.Embedding(classes, width)
        self.input_conv = nn.Conv2d(config.image_channels, config.channels, 3, padding=1)
        widths = self._build_encoder()
        deepest = widths[-1]
        self.middle = Block(
            [ResBlock(config, deepest, deepest), AttentionBlock(config, deepest), ResBlock(config, deepest, deepest)]
        )
        self._build_decoder(widths)
        self.output_norm = nn.GroupNorm(config.norm_groups, config.channels)
        self.output_conv = _zeroed(nn.Conv2d(config.channels, config.image_channels, 3, padding=1))

    def _build_encoder(self) -> list[int]:
        config = self.config
        self.input_blocks = nn.ModuleList()
        widths, width, side = [config.channels], config.channels, config.image_side
        for level, mult in enumerate(config.channel_mult):
            for _ in range(config.res_blocks):
                layers: list[nn.Module] = [ResBlock(config, width, mult * config.channels)]
                width = mult * config.channels
                if side in config.attention_resolutions:
                    layers.append(AttentionBlock(config, width))
                self.input_blocks.append(Block(layers))
                widths.append(width)
            if level < len(config.channel_mult) - 1:
                self.input_blocks.append(Block([Downsample(width)]))
                widths.append(width)
                side //= 2
        return widths

    def _build_decoder(self, widths: list[int]) -> None:
        config = self.config
        self.output_blocks = nn.ModuleList()
        width, side = widths[-1], config.image_side >> (len(config.channel_mult) - 1)
        for level, mult in reversed(list(enumerate(config.channel_mult))):
            for index in range(config.res_blocks + 1):
                layers: list[nn.Module] = [ResBlock(config, width + widths.pop(), mult * config.channels)]
                width = mult * config.channels
                if side in config.attention_resolutions:
                    layers.append(AttentionBlock(config, width))
                if level and index == config.res_blocks:
                    layers.append(Upsample(width))
                    side *= 2
                self.output_blocks.append(Block(layers))

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        """Return the velocity at x.

        Args:
            x: images in [-1, 1] at the data's end of the path, (N, C, H, W).
            t: times in [0, 1], (N,); 0 is noise, 1 is data.
            y: rows of the class embedding, (N,), integers.

        Returns:
            (N, C, H, W).
        """
        embedding = self.time_embedding(_sinusoids(t * TIME_SCALE, self.config.channels)) + self.class_embedding(y)
        embedding = F.silu(embedding)
        h = self.input_conv(x)
        skips = [h]
        for block in self.input_blocks:
            h = block(h, embedding)
            skips.append(h)
        h = self.middle(h, embedding)
        for block in self.output_blocks:
            h = block(torch.cat([h, skips.pop()], dim=1), embedding)
        return self.output_conv(F.silu(self.output_norm(h)))  # type: ignore[no-any-return]


def conv_layers(net: nn.Module) -> list[tuple[str, nn.Conv2d]]:
    """Return names and modules of the Conv2d layers in registration order: position is the paper's layer index."""
    return [(name, module) for name, module in net.named_modules() if isinstance(module, nn.Conv2d)]


@lru_cache(maxsize=32)
def skeleton(config: Backbone, classes: int) -> UNet:
    """Return the network without memory behind its parameters, for counting."""
    with torch.device("meta"), _Undrawn():
        return UNet(config, classes)


@lru_cache(maxsize=32)
def network_size(config: Backbone, classes: int) -> int:
    """Return the number of parameters."""
    return sum(value.numel() for value in skeleton(config, classes).parameters())


class _Undrawn(TorchFunctionMode):
    """Skip draws from a normal distribution: on the meta device they load torch's compiler, for a second."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        return kwargs["tensor"] if func is nn.init.normal_ else func(*args, **kwargs)


def _sinusoids(t: Tensor, width: int, max_period: float = 10_000.0) -> Tensor:
    """Return the sinusoidal embedding of times (N,) as (N, width), cosines first (Vaswani et al., 2017)."""
    half = width // 2
    frequencies = torch.exp(-math.log(max_period) * torch.arange(half, device=t.device, dtype=t.dtype) / half)
    angles = t[:, None] * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def _zeroed(module: ModuleT) -> ModuleT:
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module
