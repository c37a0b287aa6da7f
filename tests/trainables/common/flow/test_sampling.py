import json
from pathlib import Path

import pytest
import torch

from tests.trainables.funlora.tiny_adapter import merged, settings, write_adapter
from tests.trainables.noise_images import altered, write_data
from tests.trainables.tiny_network import TINY
from trainables.common.data.images import read_images
from trainables.common.flow.generator import Network, class_field, load_adapter, save_network
from trainables.common.flow.sampling import flow_means, held_out_loss, sample_class
from trainables.common.flow.settings import Solver
from trainables.common.seeds import stream_seed
from trainables.funlora.adapters import new_adapter

ADAPTER = settings(layers="3-17")
EULER = Solver(method="euler", grid_points=4, rtol=1e-5, atol=1e-5)


@pytest.fixture
def adapter(tmp_path, net) -> Path:
    """An adapter of class 2 that has moved far."""
    values = {name: 1 + torch.randn_like(value) / 3 for name, value in new_adapter(net, ADAPTER).items()}
    return write_adapter(tmp_path / "adapter", ADAPTER, 2, values, torch.randn(32))


def test_chunks_are_the_same_again_and_differ_from_each_other(start, base) -> None:
    banks = []
    for label, chunk, seed in [(0, 0, 0), (0, 0, 0), (0, 1, 0), (1, 0, 0), (0, 0, 1)]:
        run = start(f"run{len(banks)}")
        sample_class.body(run, (base,), EULER, label, 6, 6, chunk, seed)
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


@pytest.mark.parametrize("label", [7, 3])
def test_a_class_that_the_network_knows_is_sampled_by_its_row(start, tmp_path, net, label) -> None:
    run, row = start(), (7, 3).index(label)
    (tmp_path / "network").mkdir()
    save_network(tmp_path / "network", Network(backbone=TINY, classes=(7, 3)), net.state_dict())
    sample_class.body(run, (tmp_path / "network",), EULER, label, 5, 5, 2, 0)
    sampled, labels = read_images(run.output / "train.arrow")
    expected = euler_images(lambda x, t: net(x, t, torch.full((5,), row)), label, 2, 5)
    assert labels.tolist() == [label] * 5
    torch.testing.assert_close(sampled.float(), expected, atol=1, rtol=0)  # a rounding apart
    assert sampled.unique().numel() > 20
    assert json.loads((run.output / "samples.json").read_text()) == {"evaluations": 3}


def test_a_later_class_is_sampled_with_its_adapter(start, base, net, adapter) -> None:
    run = start()
    sample_class.body(run, (base, adapter), EULER, 2, 5, 5, 0, 0)
    loaded = load_adapter(adapter, "cpu")
    field = class_field(net, merged(net, ADAPTER, loaded.learned), loaded.embedding)
    expected = euler_images(lambda x, t: field(x, t, torch.zeros(5, dtype=torch.long)), 2, 0, 5)
    torch.testing.assert_close(read_images(run.output / "train.arrow")[0].float(), expected, atol=1, rtol=0)


@pytest.mark.parametrize("adapted", [False, True])
def test_how_many_images_are_integrated_at_a_time_moves_a_sample_by_no_more_than_a_rounding(
    start, base, adapter, adapted
) -> None:
    banks = []
    for batch in (16, 3, 5, 1):
        run = start(f"run{batch}")
        generator, label = ((base, adapter), 2) if adapted else ((base,), 1)
        sample_class.body(run, generator, EULER, label, 16, batch, 0, 0)
        banks.append(read_images(run.output / "train.arrow")[0].int())
        assert json.loads((run.output / "samples.json").read_text()) == {"evaluations": 3}
        assert run.logged[-1][:2] == (16, 16)
    assert all((bank - banks[0]).abs().max() <= 1 for bank in banks[1:])
    assert (banks[0][0] - banks[0][3]).abs().max() > 1  # images differ, in whatever part they were made


def test_evaluations_are_counted_per_image_where_parts_take_different_ones(start, base, monkeypatch) -> None:
    def integrate(field: object, x_0: torch.Tensor, solver: Solver) -> tuple[torch.Tensor, int]:
        return x_0, 10 * len(x_0)

    monkeypatch.setattr("trainables.common.flow.sampling.integrate", integrate)
    run = start()
    sample_class.body(run, (base,), EULER, 1, 8, 3, 0, 0)
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
    loss = loss_of(start(), images, (base,), 1)
    row = torch.ones(1, dtype=torch.long)
    assert loss == pytest.approx(naive_loss(lambda x, t: net(x, t, row), pixels[labels == 1], 1), rel=1e-5)


def test_the_held_out_loss_of_a_later_class_is_that_of_its_adapter(start, images, base, net, adapter) -> None:
    pixels, labels = read_images(images / "held_out.arrow")
    loaded = load_adapter(adapter, "cpu")
    field = class_field(net, merged(net, ADAPTER, loaded.learned), loaded.embedding)
    expected = naive_loss(lambda x, t: field(x, t, torch.zeros(1, dtype=torch.long)), pixels[labels == 2], 2)
    assert loss_of(start(), images, (base, adapter), 2) == pytest.approx(expected, rel=1e-5)


def test_every_held_out_image_counts_alike_however_many_there_are(start, base, monkeypatch, tmp_path) -> None:
    def loss(field: object, x_1: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return (x_1 + 1).mean() / 2

    monkeypatch.setattr("trainables.common.flow.sampling.flow_matching_loss", loss)
    brightness = torch.zeros(700, dtype=torch.uint8)
    brightness[600:] = 255
    pixels = brightness.view(-1, 1, 1, 1).expand(-1, 1, 8, 8)
    data = write_data(tmp_path / "many", pixels, torch.full((700,), 1))
    assert loss_of(start(), data, (base,), 1) == pytest.approx(1 / 7)


def test_the_held_out_loss_looks_at_held_out_images_of_its_class_alone(start, images, base, tmp_path) -> None:
    losses = [loss_of(start("original"), images, (base,), 1)]
    others = altered(tmp_path, 1)
    (others / "train.arrow").unlink()
    losses.append(loss_of(start("others altered"), others, (base,), 1))
    losses.append(loss_of(start("class altered"), altered(tmp_path, 3), (base,), 1))
    assert losses[0] == losses[1] != losses[2]


def means_of(start, evaluations: tuple = (), losses: tuple = ()) -> dict[str, float]:
    banks, lost, run = [], [], start("means")
    for index, value in enumerate(evaluations):
        banks.append(start(f"bank{index}").output)
        (banks[-1] / "samples.json").write_text(json.dumps({"evaluations": value}))
    for index, value in enumerate(losses):
        lost.append(start(f"loss{index}").output)
        (lost[-1] / "loss.json").write_text(json.dumps(value))
    flow_means.body(run, tuple(banks), tuple(lost))
    return json.loads((run.output / "metrics.json").read_text())


def test_evaluations_and_losses_are_means_over_banks_and_classes(start) -> None:
    assert means_of(start, (10, 11, 30.5), (0.25, 0.5, 0.9)) == pytest.approx({"nfe": 51.5 / 3, "fm_loss": 0.55})


def test_what_there_are_no_banks_or_losses_for_is_left_out_but_zero_is_a_number(start) -> None:
    assert means_of(start, losses=(0.0,)) == {"fm_loss": 0}


def test_a_search_can_ask_for_what_is_averaged(start) -> None:
    bank, loss = sample_class([], EULER, 0, 1, 1, 0, 0), held_out_loss(sample_class([], EULER, 1, 1, 1, 0, 0), [], 0)
    assert flow_means([bank], [loss]).reports == ["nfe", "fm_loss"]
    assert flow_means([bank], []).reports == ["nfe"]
