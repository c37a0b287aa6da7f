import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from tests.trainables.common.data.sources.written import data
from trainables.common.data.image_sets import image_stage
from trainables.common.data.images import read_images, write_images


def split(start, held_out: str) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    run = start(held_out)
    stage = image_stage(data("digits", held_out=held_out), 1, 8)
    stage.function.run(run, stage.params, {})
    return {name: read_images(run.output / f"{name}.arrow") for name in ("train", "held_out")}


def rows(part: tuple[torch.Tensor, torch.Tensor]) -> set[tuple[int, bytes]]:
    images, labels = part
    return {(int(label), image.numpy().tobytes()) for image, label in zip(images, labels, strict=True)}


def originals() -> set[tuple[int, bytes]]:
    images, labels = load_digits(return_X_y=True)
    return {
        (int(label), bytes(round(value * 255 / 16) for value in image))
        for image, label in zip(images.tolist(), labels, strict=True)
    }


def test_train_and_test_are_all_digits_and_share_none(start) -> None:
    parts = split(start, "test")
    assert parts["train"][0].shape == (1347, 1, 8, 8)
    assert parts["held_out"][0].shape == (450, 1, 8, 8)
    assert len(originals()) == 1797  # no image is there twice, so that sets of images tell
    assert rows(parts["train"]) | rows(parts["held_out"]) == originals()
    assert not rows(parts["train"]) & rows(parts["held_out"])


def test_validation_images_are_training_images_and_no_test_image_is_used(start) -> None:
    test, validation = split(start, "test"), split(start, "validation")
    assert (len(validation["train"][0]), len(validation["held_out"][0])) == (1077, 270)
    assert rows(validation["train"]) | rows(validation["held_out"]) == rows(test["train"])
    assert not rows(validation["train"]) & rows(validation["held_out"])


def test_every_class_gives_its_share(start) -> None:
    for held_out, share in (("test", 0.25), ("validation", 0.2)):
        parts = split(start, held_out)
        held = parts["held_out"][1].bincount()
        everything = held + parts["train"][1].bincount()
        assert len(held) == 10
        assert float((held - share * everything).abs().max()) < 1


def test_the_split_is_always_the_same(start) -> None:
    runs = [start("first"), start("second")]
    stage = image_stage(data("digits", held_out="validation"), 1, 8)
    for seed, run in enumerate(runs):
        torch.manual_seed(seed)
        np.random.seed(seed)
        stage.function.run(run, stage.params, {})
    for name in ("train.arrow", "held_out.arrow"):
        assert len({(run.output / name).read_bytes() for run in runs}) == 1


@pytest.mark.parametrize("held_out", ["test", "validation"])
def test_the_files_are_those_of_scikit_learns_split_byte_for_byte(start, tmp_path, held_out) -> None:
    """Published digits results hold for these very files."""
    images, labels = load_digits(return_X_y=True)
    everything = np.arange(1797)
    train, held = train_test_split(everything, test_size=0.25, stratify=labels, random_state=0)
    if held_out == "validation":
        train = np.sort(train)
        train, held = train_test_split(train, test_size=0.2, stratify=labels[train], random_state=0)
    pixels = torch.from_numpy(np.rint(images * 255 / 16).astype(np.uint8)).view(-1, 1, 8, 8)
    split(start, held_out)
    for name, index in (("train", np.sort(train)), ("held_out", np.sort(held))):
        write_images(tmp_path / name, pixels[index], torch.from_numpy(labels[index]))
        assert (tmp_path / held_out / f"{name}.arrow").read_bytes() == (tmp_path / name).read_bytes()
