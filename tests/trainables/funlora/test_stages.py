import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.trainables.conftest import TINY, noise_images, write_data
from trainables.funlora.config import AdapterTraining
from trainables.funlora.rank_one import class_field, merged_weights
from trainables.funlora.stages import sample_class, score, train_adapter, train_base
from trainables.images import read_images
from trainables.settings import FlowTraining, Solver
from trainables.streams import stream_seed

TRAINING = FlowTraining(iterations=8, batch=4, lr=1e-2, warmup=2, ema=0.5, ema_from=3)
ADAPTER = AdapterTraining(**TRAINING.model_dump(), layers="3-17", train_embedding=False)
EULER = Solver(method="euler", grid_points=4, rtol=1e-5, atol=1e-5)


def digest(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}


def altered(tmp_path: Path, label: int) -> Path:
    """The data set with every image of the other classes inverted."""
    images, labels = noise_images()
    images[labels != label] = 255 - images[labels != label]
    return write_data(tmp_path / f"altered{label}", images, labels)


def test_a_base_has_a_row_of_the_embedding_per_class_of_the_first_task(start, images) -> None:
    run = start()
    train_base.body(run, images, TINY, (3, 1), TRAINING, 0)
    values = load_file(run.output / "base.safetensors")
    assert values["class_embedding.weight"].shape == (2, 32)
    assert values["output_conv.weight"].abs().max() > 0  # zero before training
    assert run.logged[-1][:2] == (8, 8)


def test_a_base_sees_the_first_tasks_images_alone(start, images, tmp_path) -> None:
    pixels, labels = noise_images()
    pixels[(labels == 0) | (labels == 2)] = 0
    runs = [start("original"), start("blackened")]
    for run, data in zip(runs, (images, write_data(tmp_path / "black", pixels, labels)), strict=True):
        train_base.body(run, data, TINY, (1, 3), TRAINING, 0)
    assert digest(runs[0].output) == digest(runs[1].output)


def test_every_image_is_trained_with_the_row_of_its_class(start, tmp_path, monkeypatch) -> None:
    seen = []

    def loss(field: object, x_1: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        seen.extend(zip(x_1[:, 0, 0, 0].tolist(), y.tolist(), strict=True))
        return field(x_1, torch.rand(len(x_1)), y).square().mean()

    monkeypatch.setattr("trainables.funlora.stages.flow_matching_loss", loss)
    grey = torch.tensor([0, 255, 51, 204], dtype=torch.uint8).repeat(10)
    pixels = grey.view(-1, 1, 1, 1).expand(-1, 1, 8, 8)
    data = write_data(tmp_path / "flat", pixels, torch.arange(4).repeat(10))
    train_base.body(start(), data, TINY, (3, 1), TRAINING, 0)
    assert {(round(pixel, 3), row) for pixel, row in seen} == {(0.6, 0), (1.0, 1)}


def test_a_resumed_base_ends_with_the_same_bytes(start, killed_and_continued, images) -> None:
    undisturbed = start("undisturbed")
    train_base.body(undisturbed, images, TINY, (0, 1), TRAINING, 0)
    continued = killed_and_continued(lambda run: train_base.body(run, images, TINY, (0, 1), TRAINING, 0))
    assert digest(continued.output) == digest(undisturbed.output)


def test_a_resumed_adapter_ends_with_the_same_bytes(start, killed_and_continued, images, base) -> None:
    arguments = (images, base, TINY, ADAPTER, 2, 0)
    undisturbed = start("undisturbed")
    train_adapter.body(undisturbed, *arguments)
    continued = killed_and_continued(lambda run: train_adapter.body(run, *arguments))
    assert digest(continued.output) == digest(undisturbed.output)


def adapter_of(run: object, *arguments: object) -> dict[str, torch.Tensor]:
    train_adapter.body(run, *arguments)
    return load_file(run.output / "adapter.safetensors")


def test_training_an_adapter_changes_its_factors_and_nothing_else(start, images, base, net) -> None:
    before = digest(base)
    values = adapter_of(start(), images, base, TINY, ADAPTER, 2, 0)
    assert digest(base) == before
    assert len(values) == 1 + 2 * 15
    torch.testing.assert_close(values.pop("embedding"), net.class_embedding.weight.mean(0))
    assert all((value - 1).abs().max() > 1e-3 for value in values.values())


def test_a_trained_embedding_starts_at_the_mean_and_leaves_it(start, images, base, net) -> None:
    config = ADAPTER.model_copy(update={"train_embedding": True, "layers": "none"})
    values = adapter_of(start(), images, base, TINY, config, 2, 0)
    assert set(values) == {"embedding"}
    shift = (values["embedding"] - net.class_embedding.weight.mean(0)).abs()
    assert 0 < shift.max() <= TRAINING.iterations * TRAINING.lr  # what Adam can walk


def test_an_adapter_without_layers_and_embedding_is_the_mean_embedding(start, images, base, net) -> None:
    config = ADAPTER.model_copy(update={"layers": "none"})
    values = adapter_of(start(), images, base, TINY, config, 2, 0)
    assert set(values) == {"embedding"}
    torch.testing.assert_close(values["embedding"], net.class_embedding.weight.mean(0))


def test_an_adapter_depends_on_the_images_of_its_class_alone(start, images, base, tmp_path) -> None:
    runs = {name: start(name) for name in ("original", "others altered", "class altered")}
    for run, data in zip(runs.values(), (images, altered(tmp_path, 2), altered(tmp_path, 3)), strict=True):
        train_adapter.body(run, data, base, TINY, ADAPTER, 2, 0)
    assert digest(runs["others altered"].output) == digest(runs["original"].output)
    assert digest(runs["class altered"].output) != digest(runs["original"].output)


def test_classes_with_the_same_images_have_random_streams_of_their_own(start, base, tmp_path) -> None:
    pixels, labels = noise_images()
    pixels[labels == 3] = pixels[labels == 2]
    data = write_data(tmp_path / "same", pixels, labels)
    two, three = (adapter_of(start(str(label)), data, base, TINY, ADAPTER, label, 0) for label in (2, 3))
    assert not torch.equal(two["middle.0.conv1.A"], three["middle.0.conv1.A"])


def test_what_is_kept_is_the_moving_average(start, images, base) -> None:
    slow = ADAPTER.model_copy(update={"ema": 0.999999, "ema_from": 0})
    values = adapter_of(start(), images, base, TINY, slow, 2, 0)
    moved = [float((value - 1).abs().max()) for name, value in values.items() if name != "embedding"]
    assert 0 < max(moved) < 1e-5


def test_training_an_adapter_lowers_the_loss_of_its_class(start, base, tmp_path) -> None:
    run, white = start(), torch.full((10, 1, 8, 8), 255, dtype=torch.uint8)
    longer = ADAPTER.model_copy(update={"iterations": 80, "batch": 16, "lr": 0.05, "layers": "0-24"})
    data = write_data(tmp_path / "white", white, torch.full((10,), 2))
    train_adapter.body(run, data, base, TINY, longer, 2, 0)
    losses = [metrics["loss"] for *_, metrics in run.logged]
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])


@pytest.fixture
def adapter(start, images, base) -> Path:
    run = start("adapter")
    train_adapter.body(run, images, base, TINY, ADAPTER, 2, 0)
    return run.output


def test_chunks_are_the_same_again_and_differ_from_each_other(start, base) -> None:
    banks = []
    for label, chunk, seed in [(5, 0, 0), (5, 0, 0), (5, 1, 0), (6, 0, 0), (5, 0, 1)]:
        run = start(f"run{len(banks)}")
        sample_class.body(run, base, None, TINY, EULER, label, 1, 6, chunk, seed)
        banks.append(read_images(run.output / "train.arrow")[0].numpy().tobytes())
    assert banks[0] == banks[1]
    assert len(set(banks)) == 4


def euler_images(velocity, label: int, chunk: int, count: int) -> torch.Tensor:
    """Noise of the class's own stream, three steps of a third, to bytes."""
    torch.manual_seed(stream_seed(0, "samples", label, chunk))
    x = torch.randn(count, 1, 8, 8)
    for step in range(3):
        x = x + velocity(x, torch.full((count,), step / 3)) / 3
    return ((x + 1) * 127.5).round().clamp(0, 255)


def test_a_class_of_the_first_task_is_sampled_from_the_base_by_its_row(start, base, net) -> None:
    run = start()
    sample_class.body(run, base, None, TINY, EULER, 7, 1, 5, 2, 0)
    sampled, labels = read_images(run.output / "train.arrow")
    expected = euler_images(lambda x, t: net(x, t, torch.ones(5, dtype=torch.long)), 7, 2, 5)
    assert labels.tolist() == [7] * 5
    torch.testing.assert_close(sampled.float(), expected, atol=1, rtol=0)  # a rounding apart
    assert sampled.unique().numel() > 20
    assert json.loads((run.output / "samples.json").read_text()) == {"evaluations": 3}


def test_a_later_class_is_sampled_with_its_adapter(start, base, net, adapter) -> None:
    run = start()
    sample_class.body(run, base, adapter, TINY, EULER, 2, None, 5, 0, 0)
    values = load_file(adapter / "adapter.safetensors")
    field = class_field(net, merged_weights(net, values), values["embedding"])
    expected = euler_images(lambda x, t: field(x, t, torch.zeros(5, dtype=torch.long)), 2, 0, 5)
    torch.testing.assert_close(read_images(run.output / "train.arrow")[0].float(), expected, atol=1, rtol=0)


def artifacts(start, name: str, file: str, contents: list[object]) -> tuple[Path, ...]:
    runs = [start(f"{name}{index}") for index in range(len(contents))]
    for run, content in zip(runs, contents, strict=True):
        (run.output / file).write_text(json.dumps(content))
    return tuple(run.output for run in runs)


def test_the_score_is_that_of_the_hits_counted_image_by_image(start) -> None:
    tasks, random = ((4, 1), (0, 3), (2,)), np.random.default_rng(0)
    told, hits = [], []
    for done in range(3):
        seen = [label for task in tasks[: done + 1] for label in task]
        right = {label: random.random(10 + 7 * label) < 0.3 + 0.1 * label for label in seen}
        told.append(right)
        hits.append({str(label): [int(each.sum()), len(each)] for label, each in right.items()})
    banks = artifacts(start, "bank", "samples.json", [{"evaluations": n} for n in (10, 11, 30)])
    run = start()
    score.body(run, artifacts(start, "classifier", "hits.json", hits), banks, tasks)
    metrics = json.loads((run.output / "metrics.json").read_text())
    accuracy = [100 * np.concatenate(list(right.values())).mean() for right in told]
    assert metrics["accuracy"] == pytest.approx(accuracy)
    assert metrics["la"] == pytest.approx(accuracy[2])
    assert metrics["aia"] == pytest.approx(np.mean(accuracy))
    assert metrics["nfe"] == 17
    for done, row in enumerate(metrics["accuracy_matrix"]):
        by_task = [np.concatenate([told[done][label] for label in task]) for task in tasks[: done + 1]]
        assert row == pytest.approx([100 * each.mean() for each in by_task])
