from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from trainables.images import write_images
from trainables.settings import Backbone
from trainables.unet import UNet

torch.set_num_threads(1)

TINY = Backbone(
    image_channels=1, image_side=8, channels=8, channel_mult=(1, 2), res_blocks=1,
    attention_resolutions=(4,), head_channels=8, norm_groups=4, dropout=0.1,
)  # fmt: skip
BASE_CLASSES = 2


class KilledError(Exception):
    """The process died here."""


@dataclass
class FakeRun:
    """What a stage's body is given. It saves after step ``save_at`` and dies after step ``die_at``."""

    output: Path
    saved: Path | None = None
    save_at: int | None = None
    die_at: int | None = None
    device: str = "cpu"
    logged: list[tuple[int, int, dict[str, float]]] = field(default_factory=list)
    asked: int = 0

    @property
    def kept(self) -> Path:
        return self.output / "saved"

    def due(self) -> bool:
        self.asked += 1
        return self.asked == self.save_at

    def save(self, write: Callable[[Path], None]) -> None:
        self.kept.mkdir()
        write(self.kept)

    def log(self, step: int, total: int, **metrics: float) -> None:
        self.logged.append((step, total, metrics))
        if step == self.die_at:
            raise KilledError


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


def randomised(net: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """The network with no parameter left at zero or one."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_(0, 0.3, generator=generator)
    return net


@pytest.fixture
def net() -> UNet:
    return randomised(UNet(TINY, BASE_CLASSES)).eval().requires_grad_(False)


@pytest.fixture
def base(tmp_path: Path, net: UNet) -> Path:
    """The artifact of a base of two classes."""
    directory = tmp_path / "base"
    directory.mkdir()
    save_file(net.state_dict(), directory / "base.safetensors")
    return directory


def write_data(directory: Path, images: torch.Tensor, labels: torch.Tensor) -> Path:
    directory.mkdir()
    for name in ("train", "held_out"):
        write_images(directory / f"{name}.arrow", images, labels)
    return directory


def noise_images(classes: int = 4, each: int = 10, side: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(7)
    pixels = torch.randint(256, (classes * each, 1, side, side), generator=generator, dtype=torch.uint8)
    return pixels, torch.arange(classes).repeat(each)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """The artifact of a data set of four classes."""
    return write_data(tmp_path / "images", *noise_images())
