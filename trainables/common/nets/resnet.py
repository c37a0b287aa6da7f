"""ResNet18 for small images (He et al., 2016, with the 3x3 stem used on CIFAR)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with batch normalisation and a (projected) shortcut."""

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(c_out)
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or c_in != c_out:
            self.shortcut = nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride=stride, bias=False), nn.BatchNorm2d(c_out))

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, H, W) to (N, c_out, H/stride, W/stride)."""
        h = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(h)) + self.shortcut(x))


class ResNet18(nn.Module):
    """Eight basic blocks in four levels of width, 2 width, 4 width, 8 width.

    Args:
        image_channels: channels of an image.
        width: channels of the first level; 64 in the paper.
        classes: number of logits.
    """

    def __init__(self, image_channels: int, width: int, classes: int) -> None:
        super().__init__()
        widths = [width, 2 * width, 4 * width, 8 * width]
        self.stem = nn.Conv2d(image_channels, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        blocks = []
        for level, (c_in, c_out) in enumerate(zip([width, *widths], widths, strict=False)):
            blocks += [BasicBlock(c_in, c_out, 2 if level else 1), BasicBlock(c_out, c_out, 1)]
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(widths[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        """Images in [-1, 1], (N, C, H, W), to logits (N, classes)."""
        return self.head(self.features(x))  # type: ignore[no-any-return]

    def features(self, x: Tensor) -> Tensor:
        """Images in [-1, 1], (N, C, H, W), to the input of the last layer: (N, 8 width)."""
        return self.blocks(F.relu(self.norm(self.stem(x)))).mean(dim=(2, 3))  # type: ignore[no-any-return]


def random_crop(images: Tensor, padding: int) -> Tensor:
    """Shift every image by up to ``padding`` pixels in each direction, zeros (mid-grey) moving in.

    (N, C, H, W) to the same shape; offsets come from torch's default generator.
    """
    n, channels, height, width = images.shape
    padded = F.pad(images, (padding,) * 4)
    top, left = torch.randint(0, 2 * padding + 1, (2, n, 1), device=images.device)
    rows = (top + torch.arange(height, device=images.device))[:, None, :, None]
    columns = (left + torch.arange(width, device=images.device))[:, None, None, :]
    # Gathered channel by channel, so that the result is contiguous: on channels-last input oneDNN's backward pass of
    # a narrow strided convolution writes out of bounds on CPU (torch 2.13).
    index = torch.arange(n, device=images.device)[:, None, None, None]
    channel = torch.arange(channels, device=images.device)[:, None, None]
    return padded[index, channel, rows, columns]


def random_flip(images: Tensor) -> Tensor:
    """Mirror every image left to right with probability one half; same shape."""
    mirrored = torch.rand(len(images), device=images.device) < 0.5
    return torch.where(mirrored[:, None, None, None], images.flip(3), images)
