import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.trainables.funlora.tiny_adapter import settings
from tests.trainables.noise_images import noise_images, write_data
from tests.trainables.tiny_network import TINY
from trainables.common.data.images import read_images
from trainables.common.seeds import stream_seed
from trainables.common.settings import FlowTraining, Solver
from trainables.funlora.adapters import class_field, merged
from trainables.funlora.stages import held_out_loss, load_adapter, load_base, sample_class, train_adapter, train_base

TRAINING = FlowTraining(iterations=8, batch=4, lr=1e-2, warmup=2, ema=0.5, ema_from=3)
ADAPTER = settings(layers="3-17")
EULER = Solver(method="euler", grid_points=4, rtol=1e-5, atol=1e-5)
METHODS = [
    {"functions": "cosine_learned", "rank": 2},
    {"functions": "rshift", "operation": "add"},
    {"method": "scale_shift", "train_embedding": True},
    {"method": "lora_conv_v1", "layers": "attention,4-9"},
]


def named(values: dict) -> str:
    return " ".join(str(value) for value in values.values())


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
    train_base.body(start(), data, TINY, (3, 1), TRAINING.model_copy(update={"batch": 7}), 0)
    assert {(round(pixel, 3), row) for pixel, row in seen} == {(0.6, 0), (1.0, 1)}
    assert len(seen) == TRAINING.iterations * 7


def test_a_resumed_base_ends_with_the_same_bytes(start, killed_and_continued, images) -> None:
    undisturbed = start("undisturbed")
    train_base.body(undisturbed, images, TINY, (0, 1), TRAINING, 0)
    continued = killed_and_continued(lambda run: train_base.body(run, images, TINY, (0, 1), TRAINING, 0))
    assert digest(continued.output) == digest(undisturbed.output)


@pytest.mark.parametrize("values", METHODS, ids=named)
def test_a_resumed_adapter_ends_with_the_same_bytes(start, killed_and_continued, images, base, values) -> None:
    arguments = (images, base, TINY, settings(**values), 2, 0)
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
    assert torch.equal(values.pop("embedding"), net.class_embedding.weight.mean(0))
    assert all((value - 1).abs().max() > 1e-3 for value in values.values())


def test_a_base_that_is_read_again_is_frozen_and_drops_nothing(base, net) -> None:
    again = load_base(base, TINY, "cpu")
    assert not again.training
    assert not [name for name, parameter in again.named_parameters() if parameter.requires_grad]
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in net.state_dict().items())


@pytest.mark.parametrize("layers", ["none", "3-17"])
def test_the_embedding_row_starts_at_the_mean_and_leaves_it_only_when_it_is_trained(
    start, images, base, net, layers
) -> None:
    mean, adapters = net.class_embedding.weight.mean(0), {}
    for trained in (False, True):
        config = settings(layers=layers, train_embedding=trained)
        adapters[trained] = adapter_of(start(str(trained)), images, base, TINY, config, 2, 0)
    assert adapters[False].keys() == adapters[True].keys()
    assert torch.equal(adapters[False]["embedding"], mean)
    shift = (adapters[True]["embedding"] - mean).abs()
    assert shift.min() > 0
    assert shift.max() <= TRAINING.iterations * TRAINING.lr  # what Adam can walk


@pytest.mark.parametrize("values", [*METHODS, {"layers": "none"}], ids=named)
def test_an_adapter_is_read_again_with_the_settings_it_was_trained_with(start, images, base, values) -> None:
    config = settings(**values)
    run = start()
    saved = adapter_of(run, images, base, TINY, config, 2, 0)
    again, learned, embedding = load_adapter(run.output, "cpu")
    assert again == config
    assert {**learned, "embedding": embedding}.keys() == saved.keys()
    assert all(torch.equal(value, saved[name]) for name, value in learned.items())
    assert torch.equal(embedding, saved["embedding"])


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
    assert not torch.equal(two["middle.0.conv1/A"], three["middle.0.conv1/A"])


@pytest.mark.parametrize(("ema_from", "least", "most"), [(0, 0, 1e-5), (8, 1e-2, 1)])
def test_what_is_kept_is_the_moving_average_from_its_first_step(
    start, images, base, net, ema_from, least, most
) -> None:
    config = settings(layers="3-17", ema=0.999999, ema_from=ema_from, train_embedding=True)
    values = adapter_of(start(), images, base, TINY, config, 2, 0)
    moved = [
        (value - (net.class_embedding.weight.mean(0) if name == "embedding" else 1)).abs().max()
        for name, value in values.items()
    ]
    assert least < min(moved) <= max(moved) < most


@pytest.mark.parametrize(("warmup", "share"), [(1, 1), (10, 0.1)])
def test_the_first_step_is_a_share_of_the_rate_as_long_as_the_warm_up_lasts(start, images, base, warmup, share) -> None:
    config = settings(iterations=1, lr=0.02, warmup=warmup, ema_from=1)
    values = adapter_of(start(), images, base, TINY, config, 2, 0)
    del values["embedding"]
    moved = torch.cat([(value - 1).abs().flatten() for value in values.values()])
    assert float(moved.median()) == pytest.approx(0.02 * share, rel=1e-3)  # Adam's first step is the rate itself


def test_training_an_adapter_lowers_the_loss_of_its_class(start, base, tmp_path) -> None:
    run, white = start(), torch.full((10, 1, 8, 8), 255, dtype=torch.uint8)
    data = write_data(tmp_path / "white", white, torch.full((10,), 2))
    train_adapter.body(run, data, base, TINY, settings(iterations=40, batch=16, lr=0.05), 2, 0)
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
        sample_class.body(run, base, None, TINY, EULER, label, 1, 6, 6, chunk, seed)
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


@pytest.mark.parametrize("row", [0, 1])
def test_a_class_of_the_first_task_is_sampled_from_the_base_by_its_row(start, base, net, row) -> None:
    run = start()
    sample_class.body(run, base, None, TINY, EULER, 7, row, 5, 5, 2, 0)
    sampled, labels = read_images(run.output / "train.arrow")
    expected = euler_images(lambda x, t: net(x, t, torch.full((5,), row)), 7, 2, 5)
    assert labels.tolist() == [7] * 5
    torch.testing.assert_close(sampled.float(), expected, atol=1, rtol=0)  # a rounding apart
    assert sampled.unique().numel() > 20
    assert json.loads((run.output / "samples.json").read_text()) == {"evaluations": 3}


def test_a_later_class_is_sampled_with_its_adapter(start, base, net, adapter) -> None:
    run = start()
    sample_class.body(run, base, adapter, TINY, EULER, 2, None, 5, 5, 0, 0)
    values = load_file(adapter / "adapter.safetensors")
    embedding = values.pop("embedding")
    field = class_field(net, merged(net, ADAPTER, values), embedding)
    expected = euler_images(lambda x, t: field(x, t, torch.zeros(5, dtype=torch.long)), 2, 0, 5)
    torch.testing.assert_close(read_images(run.output / "train.arrow")[0].float(), expected, atol=1, rtol=0)


@pytest.mark.parametrize("adapted", [False, True])
def test_how_many_images_are_integrated_at_a_time_moves_a_sample_by_no_more_than_a_rounding(
    start, base, adapter, adapted
) -> None:
    banks = []
    for batch in (16, 3, 5, 1):
        run = start(f"run{batch}")
        given = (base, adapter, TINY, EULER, 2, None) if adapted else (base, None, TINY, EULER, 2, 1)
        sample_class.body(run, *given, 16, batch, 0, 0)
        banks.append(read_images(run.output / "train.arrow")[0].int())
        assert json.loads((run.output / "samples.json").read_text()) == {"evaluations": 3}
        assert run.logged[-1][:2] == (16, 16)
    assert all((bank - banks[0]).abs().max() <= 1 for bank in banks[1:])
    assert (banks[0][0] - banks[0][3]).abs().max() > 1  # images differ, in whatever part they were made


def test_evaluations_are_counted_per_image_where_parts_take_different_ones(start, base, monkeypatch) -> None:
    def integrate(field: object, x_0: torch.Tensor, solver: Solver) -> tuple[torch.Tensor, int]:
        return x_0, 10 * len(x_0)

    monkeypatch.setattr("trainables.funlora.stages.integrate", integrate)
    run = start()
    sample_class.body(run, base, None, TINY, EULER, 2, 1, 8, 3, 0, 0)
    by_image = [30] * 3 + [30] * 3 + [20] * 2
    assert json.loads((run.output / "samples.json").read_text()) == {"evaluations": sum(by_image) / 8}


def loss_of(run: object, *arguments: object) -> float:
    held_out_loss.body(run, *arguments)
    return json.loads((run.output / "loss.json").read_text())


def naive_loss(field, pixels: torch.Tensor, label: int) -> float:
    """Image by image: every image sixteen times, at times and noises drawn for all of them together."""
    torch.manual_seed(stream_seed(0, "held-out loss", label))
    times, noise = torch.rand(16 * len(pixels)), torch.randn(16 * len(pixels), *pixels.shape[1:])
    errors = []
    for i, (t, x_0) in enumerate(zip(times, noise, strict=True)):
        x_1 = pixels[i % len(pixels)] / 127.5 - 1
        velocity = field((x_0 + t * (x_1 - x_0))[None], t[None])[0]
        errors.append(float((velocity - (x_1 - x_0)).square().mean()))
    return sum(errors) / len(errors)


def test_the_held_out_loss_is_the_mean_over_images_times_and_noises(start, images, base, net) -> None:
    pixels, labels = read_images(images / "held_out.arrow")
    loss = loss_of(start(), images, base, None, TINY, 3, 1)
    row = torch.ones(1, dtype=torch.long)
    assert loss == pytest.approx(naive_loss(lambda x, t: net(x, t, row), pixels[labels == 3], 3), rel=1e-5)


def test_the_held_out_loss_of_a_later_class_is_that_of_its_adapter(start, images, base, net, adapter) -> None:
    pixels, labels = read_images(images / "held_out.arrow")
    config, learned, embedding = load_adapter(adapter, "cpu")
    field = class_field(net, merged(net, config, learned), embedding)
    expected = naive_loss(lambda x, t: field(x, t, torch.zeros(1, dtype=torch.long)), pixels[labels == 2], 2)
    assert loss_of(start(), images, base, adapter, TINY, 2, None) == pytest.approx(expected, rel=1e-5)


def test_every_held_out_image_counts_alike_however_many_there_are(start, base, monkeypatch, tmp_path) -> None:
    def loss(field: object, x_1: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return (x_1 + 1).mean() / 2

    monkeypatch.setattr("trainables.funlora.stages.flow_matching_loss", loss)
    brightness = torch.zeros(700, dtype=torch.uint8)
    brightness[600:] = 255
    pixels = brightness.view(-1, 1, 1, 1).expand(-1, 1, 8, 8)
    data = write_data(tmp_path / "many", pixels, torch.full((700,), 3))
    assert loss_of(start(), data, base, None, TINY, 3, 0) == pytest.approx(1 / 7)


def test_the_held_out_loss_looks_at_held_out_images_of_its_class_alone(start, images, base, tmp_path) -> None:
    losses = [loss_of(start("original"), images, base, None, TINY, 2, 0)]
    others = altered(tmp_path, 2)
    (others / "train.arrow").unlink()
    losses.append(loss_of(start("others altered"), others, base, None, TINY, 2, 0))
    losses.append(loss_of(start("class altered"), altered(tmp_path, 3), base, None, TINY, 2, 0))
    assert losses[0] == losses[1] != losses[2]


@pytest.mark.parametrize("values", [{"functions": "cosine_learned"}, {"method": "scale_shift"}], ids=str)
def test_the_held_out_loss_is_lower_with_the_adapter_of_the_images_class(start, base, tmp_path, values) -> None:
    pixels = torch.tensor([0, 255], dtype=torch.uint8).repeat_interleave(10).view(-1, 1, 1, 1).expand(-1, 1, 8, 8)
    data = write_data(tmp_path / "flat", pixels, torch.tensor([2, 3]).repeat_interleave(10))
    config, adapters = settings(iterations=40, batch=8, lr=0.05, layers="3-17", **values), {}
    for label in (2, 3):
        run = start(f"adapter{label}")
        train_adapter.body(run, data, base, TINY, config, label, 0)
        adapters[label] = run.output
    own, wrong = (loss_of(start(f"loss{each}"), data, base, adapters[each], TINY, 2, None) for each in (2, 3))
    assert own < 0.9 * wrong
