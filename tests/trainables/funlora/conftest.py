from collections.abc import Callable

import pytest
import torch

from trainables.common.nets.unet import UNet

Point = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


@pytest.fixture
def double_net(net: UNet) -> UNet:
    """The tiny network in float64."""
    return net.double()


@pytest.fixture
def point() -> Point:
    """Images, times and rows in float64."""
    torch.manual_seed(0)
    return torch.randn(3, 1, 8, 8).double(), torch.rand(3).double(), torch.tensor([0, 1, 1])


Learned = dict[str, torch.Tensor]


@pytest.fixture
def scrambled() -> Callable[[Learned], Learned]:
    """Values of the same shapes in float64, none of them where an adapter starts."""

    def _scrambled(learned: Learned, seed: int = 5) -> Learned:
        generator = torch.Generator().manual_seed(seed)
        drawn = {name: torch.randn(value.shape, generator=generator).double() for name, value in learned.items()}
        # frequencies stay positive: 0 ** omega must not blow up
        return {name: value.abs() + 0.5 if name.endswith("/omega") else value for name, value in drawn.items()}

    return _scrambled
