import random
from pathlib import Path

import pytest
import torch

from sweeper.stage import InvalidConfig
from trainables import cifar
from trainables.images import read_images

COUNTS = {"train.bin": 20, "test.bin": 6}
RECORD = 2 + 3 * 32 * 32


def fabricated(count: int, seed: int) -> bytes:
    """Records of the format's description: coarse label, fine label, red, green and blue row by row."""
    source = random.Random(seed)
    return b"".join(bytes([99, 40 + index % 2]) + source.randbytes(RECORD - 2) for index in range(count))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cifar, "IMAGES", COUNTS)
    monkeypatch.setenv("SWEEPER_DATA", str(tmp_path / "data"))
    folder = tmp_path / "data" / "cifar-100-binary"
    folder.mkdir(parents=True)
    for seed, (name, count) in enumerate(COUNTS.items()):
        (folder / name).write_bytes(fabricated(count, seed))
    return folder


def test_pixels_and_fine_labels_are_read_by_the_formats_description(folder, start) -> None:
    run = start()
    cifar.cifar100.body(run, "test")
    for name, file in (("train", "train.bin"), ("held_out", "test.bin")):
        images, labels = read_images(run.output / f"{name}.arrow")
        raw = (folder / file).read_bytes()
        assert images.shape == (COUNTS[file], 3, 32, 32)
        assert labels.tolist() == [raw[i * RECORD + 1] for i in range(COUNTS[file])]
        for i, c, y, x in [(0, 0, 0, 0), (1, 2, 31, 31), (3, 1, 4, 17), (5, 2, 30, 1)]:
            assert int(images[i, c, y, x]) == raw[i * RECORD + 2 + 1024 * c + 32 * y + x]


def rows(images: torch.Tensor) -> set[bytes]:
    return {image.numpy().tobytes() for image in images}


def test_validation_images_are_a_fifth_of_the_training_images(folder, start) -> None:
    test, validation = start("test"), start("validation")
    cifar.cifar100.body(test, "test")
    cifar.cifar100.body(validation, "validation")
    everything, _ = read_images(test.output / "train.arrow")
    train, _ = read_images(validation.output / "train.arrow")
    held, labels = read_images(validation.output / "held_out.arrow")
    assert labels.sort().values.tolist() == [40, 40, 41, 41]
    assert rows(train) | rows(held) == rows(everything)
    assert not rows(train) & rows(held)


def test_a_complete_data_set_passes_the_check(folder) -> None:
    cifar.check_cifar100()
    (folder / "test.bin").unlink()
    with pytest.raises(InvalidConfig):
        cifar.check_cifar100()


@pytest.mark.parametrize("content", [None, fabricated(19, 0), fabricated(20, 0) + b"\0"])
def test_a_data_set_that_is_not_whole_is_refused_with_where_to_put_it(folder, content) -> None:
    path = folder / "train.bin"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(InvalidConfig) as error:
        cifar.check_cifar100()
    assert str(error.value) == (
        f"data.name: {path} is missing or not complete\n"
        f"  fix: put the binary version of CIFAR-100 into {folder}, or name its parent in SWEEPER_DATA"
    )


def test_the_real_data_set_has_sixty_thousand_images(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SWEEPER_DATA", raising=False)
    folder = tmp_path / "data" / "cifar-100-binary"
    folder.mkdir(parents=True)
    for name, size in (("train.bin", 153_700_000), ("test.bin", 30_740_000)):
        with (folder / name).open("wb") as file:
            file.truncate(size)  # sparse
    cifar.check_cifar100()
    with (folder / "train.bin").open("r+b") as file:
        file.truncate(153_700_000 - 1)
    with pytest.raises(InvalidConfig, match=r"^data\.name: data/cifar-100-binary/train\.bin is missing"):
        cifar.check_cifar100()
