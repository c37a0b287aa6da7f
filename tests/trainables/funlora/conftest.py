from collections.abc import Callable

import pytest
import torch

from trainables.funlora.settings import Adapter
from trainables.unet import UNet

Point = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def settings(**values: object) -> Adapter:
    """A rank-1 vanilla adapter of all layers of the tiny network, but for ``values``; checked."""
    plain = {
        "method": "low_rank", "layers": "0-24", "functions": "none", "p": 3, "operation": "mul", "ratio": 1,
        "rank": 1, "raised": "none", "train_embedding": False,
        "iterations": 8, "batch": 4, "lr": 1e-2, "warmup": 2, "ema": 0.5, "ema_from": 3,
    }  # fmt: skip
    return Adapter(**{**plain, **values})


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
