from pathlib import Path

import torch
from safetensors.torch import load_file

from tests.trainables.noise_images import noise_images, write_data
from tests.trainables.tiny_network import TINY
from trainables.common.flow.generator import load_generator
from trainables.common.flow.settings import FlowTraining
from trainables.common.flow.training import train_flow

TRAINING = FlowTraining(iterations=8, batch=4, lr=1e-2, warmup=2, ema=0.5, ema_from=3)


def digest(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}


def test_a_base_has_a_row_of_the_embedding_per_class_of_the_first_task(start, images) -> None:
    run = start()
    train_flow.body(run, (images,), TINY, (3, 1), TRAINING, 0)
    values = load_file(run.output / "generator.safetensors")
    assert values["class_embedding.weight"].shape == (2, 32)
    assert values["output_conv.weight"].abs().max() > 0  # zero before training
    assert run.logged[-1][:2] == (8, 8)
    assert load_generator([run.output], "cpu").rows == {3: 0, 1: 1}


def test_a_base_sees_the_first_tasks_images_alone(start, images, tmp_path) -> None:
    pixels, labels = noise_images()
    pixels[(labels == 0) | (labels == 2)] = 0
    runs = [start("original"), start("blackened")]
    for run, data in zip(runs, (images, write_data(tmp_path / "black", pixels, labels)), strict=True):
        train_flow.body(run, (data,), TINY, (1, 3), TRAINING, 0)
    assert digest(runs[0].output) == digest(runs[1].output)


def test_every_image_is_trained_with_the_row_of_its_class(start, tmp_path, monkeypatch) -> None:
    seen = []

    def loss(field: object, x_1: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        seen.extend(zip(x_1[:, 0, 0, 0].tolist(), y.tolist(), strict=True))
        return field(x_1, torch.rand(len(x_1)), y).square().mean()

    monkeypatch.setattr("trainables.common.flow.training.flow_matching_loss", loss)
    grey = torch.tensor([0, 255, 51, 204], dtype=torch.uint8).repeat(10)
    pixels = grey.view(-1, 1, 1, 1).expand(-1, 1, 8, 8)
    data = write_data(tmp_path / "flat", pixels, torch.arange(4).repeat(10))
    train_flow.body(start(), (data,), TINY, (3, 1), TRAINING.model_copy(update={"batch": 7}), 0)
    assert {(round(pixel, 3), row) for pixel, row in seen} == {(0.6, 0), (1.0, 1)}
    assert len(seen) == TRAINING.iterations * 7


def test_a_resumed_base_ends_with_the_same_bytes(start, killed_and_continued, images) -> None:
    undisturbed = start("undisturbed")
    train_flow.body(undisturbed, (images,), TINY, (0, 1), TRAINING, 0)
    continued = killed_and_continued(lambda run: train_flow.body(run, (images,), TINY, (0, 1), TRAINING, 0))
    assert digest(continued.output) == digest(undisturbed.output)


def test_real_images_and_replayed_samples_are_trained_on_together(start, tmp_path) -> None:
    pixels, labels = noise_images()
    parts = [
        write_data(tmp_path / f"part{label}", pixels[labels == label], labels[labels == label]) for label in (1, 3)
    ]
    order = torch.cat([torch.nonzero(labels == label)[:, 0] for label in (1, 3)])
    joint = write_data(tmp_path / "together", pixels[order], labels[order])
    runs = [start("parts"), start("joint")]
    for run, data in zip(runs, (tuple(parts), (joint,)), strict=True):
        train_flow.body(run, data, TINY, (1, 3), TRAINING, 0)
    assert digest(runs[0].output) == digest(runs[1].output)
