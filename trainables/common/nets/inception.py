"""The Inception-v3 network of the Fréchet inception distance (Szegedy et al., 2016; Heusel et al., 2017).

It is TensorFlow's network of 2015-12-05 as ported in ``pt_inception-2015-12-05-6726825d.pth``, the file of pytorch-fid
and torch-fidelity; modules have the names of that file. It differs from the network of the paper in pooling and size:
averages leave the padding out, Mixed_7c takes maxima, and there are 1008 logits.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIDE = 299
LOGITS = 1008

# A convolution a line: its name, what it sees (the input x, the pooled input, another convolution), channels and
# kernel, and /2 for stride 2 without padding. What no other one sees is the output, in this order.
SQUARE = """
branch1x1       x               64 1x1
branch5x5_1     x               48 1x1
branch5x5_2     branch5x5_1     64 5x5
branch3x3dbl_1  x               64 1x1
branch3x3dbl_2  branch3x3dbl_1  96 3x3
branch3x3dbl_3  branch3x3dbl_2  96 3x3
branch_pool     pool            {pooled} 1x1
"""
SQUARE_HALVED = """
branch3x3       x               384 3x3/2
branch3x3dbl_1  x               64 1x1
branch3x3dbl_2  branch3x3dbl_1  96 3x3
branch3x3dbl_3  branch3x3dbl_2  96 3x3/2
"""
FACTORISED = """
branch1x1       x               192 1x1
branch7x7_1     x               {inner} 1x1
branch7x7_2     branch7x7_1     {inner} 1x7
branch7x7_3     branch7x7_2     192 7x1
branch7x7dbl_1  x               {inner} 1x1
branch7x7dbl_2  branch7x7dbl_1  {inner} 7x1
branch7x7dbl_3  branch7x7dbl_2  {inner} 1x7
branch7x7dbl_4  branch7x7dbl_3  {inner} 7x1
branch7x7dbl_5  branch7x7dbl_4  192 1x7
branch_pool     pool            192 1x1
"""
FACTORISED_HALVED = """
branch3x3_1     x               192 1x1
branch3x3_2     branch3x3_1     320 3x3/2
branch7x7x3_1   x               192 1x1
branch7x7x3_2   branch7x7x3_1   192 1x7
branch7x7x3_3   branch7x7x3_2   192 7x1
branch7x7x3_4   branch7x7x3_3   192 3x3/2
"""
WIDE = """
branch1x1       x               320 1x1
branch3x3_1     x               384 1x1
branch3x3_2a    branch3x3_1     384 1x3
branch3x3_2b    branch3x3_1     384 3x1
branch3x3dbl_1  x               448 1x1
branch3x3dbl_2  branch3x3dbl_1  384 3x3
branch3x3dbl_3a branch3x3dbl_2  384 1x3
branch3x3dbl_3b branch3x3dbl_2  384 3x1
branch_pool     pool            192 1x1
"""


class Conv(nn.Module):
    """A convolution without bias, batch normalisation and ReLU."""

    def __init__(self, c_in: int, c_out: int, kernel: tuple[int, int], stride: int = 1, *, padded: bool) -> None:
        super().__init__()
        padding = (kernel[0] // 2, kernel[1] // 2) if padded else 0
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(c_out, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, H, W) to (N, c_out, H', W')."""
        return F.relu(self.bn(self.conv(x)))


class Mixed(nn.Module):
    """The convolutions of a table; their outputs are concatenated, and the pooled input where none of them sees it."""

    def __init__(self, c_in: int, table: str, pool: nn.Module) -> None:
        super().__init__()
        self.pool = pool
        self.sources: dict[str, str] = {}
        channels = {"x": c_in, "pool": c_in}
        for line in table.strip().splitlines():
            name, source, c_out, shape = line.split()
            kernel, _, stride = shape.partition("/")
            height, width = (int(side) for side in kernel.split("x"))
            conv = Conv(channels[source], int(c_out), (height, width), int(stride or 1), padded=not stride)
            self.add_module(name, conv)
            self.sources[name], channels[name] = source, int(c_out)
        self.ends = [name for name in (*self.sources, "pool") if name not in self.sources.values()]
        self.c_out = sum(channels[name] for name in self.ends)

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, H, W) to (N, c_out, H', W')."""
        values = {"x": x, "pool": self.pool(x)}
        for name, source in self.sources.items():
            values[name] = self.get_submodule(name)(values[source])
        return torch.cat([values[name] for name in self.ends], dim=1)


class Inception(nn.Module):
    """uint8 images to the 2048 features of the FID. The last layer is there for the file's sake alone."""

    def __init__(self) -> None:
        super().__init__()
        average = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
        largest, halved = nn.MaxPool2d(3, stride=1, padding=1), nn.MaxPool2d(3, stride=2)
        layers: dict[str, nn.Module] = {
            "Conv2d_1a_3x3": Conv(3, 32, (3, 3), 2, padded=False),
            "Conv2d_2a_3x3": Conv(32, 32, (3, 3), padded=False),
            "Conv2d_2b_3x3": Conv(32, 64, (3, 3), padded=True),
            "MaxPool_1": halved,
            "Conv2d_3b_1x1": Conv(64, 80, (1, 1), padded=False),
            "Conv2d_4a_3x3": Conv(80, 192, (3, 3), padded=False),
            "MaxPool_2": halved,
            "Mixed_5b": Mixed(192, SQUARE.format(pooled=32), average),
            "Mixed_5c": Mixed(256, SQUARE.format(pooled=64), average),
            "Mixed_5d": Mixed(288, SQUARE.format(pooled=64), average),
            "Mixed_6a": Mixed(288, SQUARE_HALVED, halved),
            "Mixed_6b": Mixed(768, FACTORISED.format(inner=128), average),
            "Mixed_6c": Mixed(768, FACTORISED.format(inner=160), average),
            "Mixed_6d": Mixed(768, FACTORISED.format(inner=160), average),
            "Mixed_6e": Mixed(768, FACTORISED.format(inner=192), average),
            "Mixed_7a": Mixed(768, FACTORISED_HALVED, halved),
            "Mixed_7b": Mixed(1280, WIDE, average),
            "Mixed_7c": Mixed(2048, WIDE, largest),
        }
        for name, layer in layers.items():
            self.add_module(name, layer)
        self.layers = list(layers)
        self.fc = nn.Linear(2048, LOGITS)

    def forward(self, images: Tensor) -> Tensor:
        """uint8 images (N, 1 or 3, H, W) to features (N, 2048)."""
        x = resize_as_tensorflow(images.float().expand(-1, 3, -1, -1), SIDE)
        x = (x - 128) / 128
        for name in self.layers:
            x = self.get_submodule(name)(x)
        return x.mean(dim=(2, 3))


def resize_as_tensorflow(images: Tensor, side: int) -> Tensor:
    """Bilinear resize of float images (N, C, H, W) to (N, C, side, side) as TensorFlow 1's ``resize_bilinear`` does it
    without aligned corners: output pixel i lies at i H / side in the input, with no half-pixel offset."""
    return _stretch(_stretch(images, 3, side), 2, side)


def _stretch(images: Tensor, dim: int, side: int) -> Tensor:
    size = images.shape[dim]
    place = torch.arange(side, dtype=torch.float32, device=images.device) * torch.tensor(size / side)
    low = place.long()
    share = (place - low).view([-1 if each == dim else 1 for each in range(4)])
    below, above = images.index_select(dim, low), images.index_select(dim, (low + 1).clamp(max=size - 1))
    return below + (above - below) * share
