from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.trainables.funlora.tiny_adapter import settings
from tests.trainables.noise_images import altered, noise_images, write_data
from trainables.common.data.images import to_unit
from trainables.common.flow.generator import Generator, load_adapter, load_generator
from trainables.common.flow.path import flow_matching_loss
from trainables.funlora.adapters import method_settings
from trainables.funlora.stages import train_adapter

ADAPTER = settings(layers="3-17")
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


@pytest.mark.parametrize("values", METHODS, ids=named)
def test_a_resumed_adapter_ends_with_the_same_bytes(start, killed_and_continued, images, base, values) -> None:
    arguments = (images, base, settings(**values), 2, 0)
    undisturbed = start("undisturbed")
    train_adapter.body(undisturbed, *arguments)
    continued = killed_and_continued(lambda run: train_adapter.body(run, *arguments))
    assert digest(continued.output) == digest(undisturbed.output)


def adapter_of(run: object, *arguments: object) -> dict[str, torch.Tensor]:
    train_adapter.body(run, *arguments)
    return load_file(run.output / "generator.safetensors")


def test_training_an_adapter_changes_its_factors_and_nothing_else(start, images, base, net) -> None:
    before = digest(base)
    values = adapter_of(start(), images, base, ADAPTER, 2, 0)
    assert digest(base) == before
    assert len(values) == 1 + 2 * 15
    assert torch.equal(values.pop("embedding"), net.class_embedding.weight.mean(0))
    assert all((value - 1).abs().max() > 1e-3 for value in values.values())


@pytest.mark.parametrize("layers", ["none", "3-17"])
def test_the_embedding_row_starts_at_the_mean_and_leaves_it_only_when_it_is_trained(
    start, images, base, net, layers
) -> None:
    mean, adapters = net.class_embedding.weight.mean(0), {}
    for trained in (False, True):
        config = settings(layers=layers, train_embedding=trained)
        adapters[trained] = adapter_of(start(str(trained)), images, base, config, 2, 0)
    assert adapters[False].keys() == adapters[True].keys()
    assert torch.equal(adapters[False]["embedding"], mean)
    shift = (adapters[True]["embedding"] - mean).abs()
    assert shift.min() > 0
    assert shift.max() <= ADAPTER.iterations * ADAPTER.lr  # what Adam can walk


@pytest.mark.parametrize("values", [*METHODS, {"layers": "none"}], ids=named)
def test_an_adapter_is_read_again_with_the_settings_it_was_trained_with(start, images, base, values) -> None:
    config = settings(**values)
    run = start()
    saved = adapter_of(run, images, base, config, 2, 0)
    again = load_adapter(run.output, "cpu")
    assert (again.about.label, again.about.method) == (2, config.method)
    assert again.settings == method_settings(config)
    assert {**again.learned, "embedding": again.embedding}.keys() == saved.keys()
    assert all(torch.equal(value, saved[name]) for name, value in again.learned.items())
    assert torch.equal(again.embedding, saved["embedding"])


def test_an_adapter_depends_on_the_images_of_its_class_alone(start, images, base, tmp_path) -> None:
    runs = {name: start(name) for name in ("original", "others altered", "class altered")}
    for run, data in zip(runs.values(), (images, altered(tmp_path, 2), altered(tmp_path, 3)), strict=True):
        train_adapter.body(run, data, base, ADAPTER, 2, 0)
    assert digest(runs["others altered"].output) == digest(runs["original"].output)
    assert digest(runs["class altered"].output) != digest(runs["original"].output)


def test_classes_with_the_same_images_have_random_streams_of_their_own(start, base, tmp_path) -> None:
    pixels, labels = noise_images()
    pixels[labels == 3] = pixels[labels == 2]
    data = write_data(tmp_path / "same", pixels, labels)
    two, three = (adapter_of(start(str(label)), data, base, ADAPTER, label, 0) for label in (2, 3))
    assert not torch.equal(two["middle.0.conv1/A"], three["middle.0.conv1/A"])


@pytest.mark.parametrize(("ema_from", "least", "most"), [(0, 0, 1e-5), (8, 1e-2, 1)])
def test_what_is_kept_is_the_moving_average_from_its_first_step(
    start, images, base, net, ema_from, least, most
) -> None:
    config = settings(layers="3-17", ema=0.999999, ema_from=ema_from, train_embedding=True)
    values = adapter_of(start(), images, base, config, 2, 0)
    moved = [
        (value - (net.class_embedding.weight.mean(0) if name == "embedding" else 1)).abs().max()
        for name, value in values.items()
    ]
    assert least < min(moved) <= max(moved) < most


@pytest.mark.parametrize(("warmup", "share"), [(1, 1), (10, 0.1)])
def test_the_first_step_is_a_share_of_the_rate_as_long_as_the_warm_up_lasts(start, images, base, warmup, share) -> None:
    config = settings(iterations=1, lr=0.02, warmup=warmup, ema_from=1)
    values = adapter_of(start(), images, base, config, 2, 0)
    del values["embedding"]
    moved = torch.cat([(value - 1).abs().flatten() for value in values.values()])
    assert float(moved.median()) == pytest.approx(0.02 * share, rel=1e-3)  # Adam's first step is the rate itself


def test_training_an_adapter_lowers_the_loss_of_its_class(start, base, tmp_path) -> None:
    run, white = start(), torch.full((10, 1, 8, 8), 255, dtype=torch.uint8)
    data = write_data(tmp_path / "white", white, torch.full((10,), 2))
    train_adapter.body(run, data, base, settings(iterations=40, batch=16, lr=0.05), 2, 0)
    losses = [metrics["loss"] for *_, metrics in run.logged]
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])


@pytest.mark.parametrize("values", [{"functions": "cosine_learned"}, {"method": "scale_shift"}], ids=str)
def test_the_loss_is_lower_with_the_adapter_of_the_images_class(start, base, tmp_path, values) -> None:
    pixels = torch.tensor([0, 255], dtype=torch.uint8).repeat_interleave(10).view(-1, 1, 1, 1).expand(-1, 1, 8, 8)
    data = write_data(tmp_path / "flat", pixels, torch.tensor([2, 3]).repeat_interleave(10))
    config, adapters = settings(iterations=40, batch=8, lr=0.05, layers="3-17", **values), {}
    for label in (2, 3):
        run = start(f"adapter{label}")
        train_adapter.body(run, data, base, config, label, 0)
        adapters[label] = load_adapter(run.output, "cpu")
    generator = load_generator([base], "cpu")
    losses = {}
    for label, adapter in adapters.items():
        field = Generator(generator.net, {}, {label: adapter}).velocity(label)
        torch.manual_seed(0)
        x_1 = to_unit(pixels[:10]).repeat(16, 1, 1, 1)  # those of class 2
        losses[label] = float(flow_matching_loss(lambda x, t, _, field=field: field(x, t), x_1, torch.zeros(160)))
    assert losses[2] < 0.9 * losses[3]
