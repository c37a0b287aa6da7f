from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.trainables.fake_run import FakeRun, KilledError
from tests.trainables.noise_images import noise_images, write_data
from tests.trainables.tiny_network import BASE_CLASSES, TINY, randomised
from trainables.common.flow.generator import Network, save_network
from trainables.common.nets.unet import UNet

torch.set_num_threads(1)


Start = Callable[..., FakeRun]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    def _start(name: str = "run", **options: object) -> FakeRun:
        output = tmp_path / name
        output.mkdir()
        return FakeRun(output, **options)

    return _start


@pytest.fixture
def killed_and_continued(start: Start) -> Callable[[Callable[[FakeRun], None]], FakeRun]:
    """Run a body that dies two steps after its progress was saved, and once more from there."""

    def _twice(body: Callable[[FakeRun], None], save_at: int = 4) -> FakeRun:
        first = start("killed", save_at=save_at, die_at=save_at + 2)
        with pytest.raises(KilledError):
            body(first)
        torch.manual_seed(999)
        second = start("continued", saved=first.kept)
        body(second)
        assert second.logged[0][0] == save_at + 1
        return second

    return _twice


@pytest.fixture
def net() -> UNet:
    return randomised(UNet(TINY, BASE_CLASSES)).eval().requires_grad_(False)


@pytest.fixture
def base(tmp_path: Path, net: UNet) -> Path:
    """The artifact of a network of classes 0 and 1."""
    directory = tmp_path / "base"
    directory.mkdir()
    save_network(directory, Network(backbone=TINY, classes=tuple(range(BASE_CLASSES))), net.state_dict())
    return directory


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """The artifact of a data set of four classes."""
    return write_data(tmp_path / "images", *noise_images())
