import math
from collections.abc import Callable, Mapping

import pytest
import torch
from inline_snapshot import snapshot
from inline_snapshot.extra import raises
from torch import Tensor, nn
from torch.optim.lr_scheduler import LinearLR, OneCycleLR

from sweeper.trainable.stage import Diverged
from tests.masked import masked
from tests.trainables.fake_run import FakeRun
from trainables.common.training import Ema, train

STEPS = 10
Values = Mapping[str, Tensor]


def bytes_of(tensors: Values) -> dict[str, bytes]:
    return {name: tensor.detach().numpy().tobytes() for name, tensor in tensors.items()}


def adam(run: FakeRun) -> tuple[Values, Ema]:
    """A linear model with dropout, Adam, a warm-up and a moving average that starts after the save."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(5, 8), nn.Dropout(0.3), nn.Linear(8, 1))
    values = dict(net.named_parameters())
    optimizer = torch.optim.Adam(net.parameters(), lr=0.05, fused=True)
    ema = Ema(values, decay=0.7, start=3)
    schedule = LinearLR(optimizer, start_factor=0.125, total_iters=8)
    train(run, STEPS, lambda: net(torch.randn(6, 5)).square().mean(), values, optimizer, schedule, ema)
    return values, ema


def sgd(run: FakeRun) -> tuple[Values, None]:
    """A convolution with batch normalisation, SGD with momentum and a one-cycle schedule."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(12, 2))
    values = net.state_dict(keep_vars=True)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, fused=True)
    schedule = OneCycleLR(optimizer, 0.1, total_steps=STEPS)
    train(run, STEPS, lambda: net(torch.randn(6, 1, 4, 4)).square().mean(), values, optimizer, schedule)
    return values, None


@pytest.mark.parametrize("training", [adam, sgd])
@pytest.mark.parametrize("save_at", [1, 2, 7])
def test_a_resumed_training_ends_with_the_same_bytes(start, killed_and_continued, training, save_at) -> None:
    values, ema = training(start("undisturbed"))
    ends = []
    run = killed_and_continued(lambda run: ends.append(training(run)), save_at)
    again, ema_again = ends[0]
    assert bytes_of(again) == bytes_of(values)
    if ema:
        assert bytes_of(ema_again.average) == bytes_of(ema.average)
        assert bytes_of(ema.average) != bytes_of(values)
    assert run.logged[-1][:2] == (STEPS, STEPS)


def test_a_resumed_training_shows_the_rest_of_the_same_curve(start, killed_and_continued) -> None:
    undisturbed = start("undisturbed")
    sgd(undisturbed)
    assert killed_and_continued(sgd).logged == undisturbed.logged[4:]


def test_batch_normalisation_is_part_of_what_is_saved(start) -> None:
    values, _ = sgd(start())
    assert int(values["1.num_batches_tracked"]) == STEPS


def one_weight(run: FakeRun, loss: Callable[[Tensor], Tensor], steps: int = STEPS) -> Tensor:
    weight = torch.ones(1, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.1)
    schedule = LinearLR(optimizer, start_factor=0.5, total_iters=4)
    train(run, steps, lambda: loss(weight), {"weight": weight}, optimizer, schedule)
    return weight


def test_training_follows_gradient_and_schedule(start) -> None:
    run = start()
    weight = one_weight(run, lambda w: w.square().sum())
    expected, losses = 1.0, []
    for step in range(STEPS):
        losses.append(expected**2)
        expected -= 0.1 * min(1.0, 0.5 + 0.5 * step / 4) * 2 * expected
    assert weight.item() == pytest.approx(expected, rel=1e-5)
    assert [metrics["loss"] for *_, metrics in run.logged] == pytest.approx(losses, rel=1e-5)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_ends_the_training_and_names_the_step(start, value) -> None:
    losses = iter([1.0, 1.0, 1.0, value])
    with pytest.raises(Diverged) as error:
        one_weight(start(), lambda w: w.sum() * next(losses))
    assert masked(str(error.value), value=value) == snapshot("the loss is {value} at step 4 of 10")


def test_a_divergence_between_two_logged_steps_ends_the_training_at_once(start) -> None:
    losses = iter([1.0] * 12 + [math.nan] * 988)
    with raises(snapshot("Diverged: the loss is nan at step 13 of 1000")):
        one_weight(start(), lambda w: (w * next(losses)).sum(), 1000)


def test_the_points_of_a_curve_depend_on_the_number_of_steps_alone(start) -> None:
    curves = [start("often", save_at=3), start("never")]
    for run in curves:
        one_weight(run, lambda w: w.square().sum(), 205)
    steps = [step for step, *_ in curves[0].logged]
    assert steps == [*range(4, 205, 4), 205]
    assert steps == [step for step, *_ in curves[1].logged]


def test_nothing_is_saved_after_the_last_step(start) -> None:
    run = start(save_at=STEPS)
    one_weight(run, lambda w: w.square().sum())
    assert run.asked == STEPS
    assert not run.kept.exists()


def test_the_moving_average_is_the_value_until_its_start_and_then_follows_slowly() -> None:
    torch.manual_seed(0)
    history = torch.randn(9, 3, dtype=torch.float64)
    ema = Ema({"a": history[0]}, decay=0.8, start=4)
    for step, value in enumerate(history):
        ema.update({"a": value}, step)
    expected = history[3].tolist()
    for value in history[4:].tolist():
        expected = [0.8 * mine + 0.2 * theirs for mine, theirs in zip(expected, value, strict=True)]
    torch.testing.assert_close(ema.average["a"], torch.tensor(expected, dtype=torch.float64))


def test_before_its_start_the_moving_average_is_exactly_the_value() -> None:
    ema = Ema({"a": torch.zeros(100)}, decay=0.99, start=5)
    value = torch.randn(100)
    ema.update({"a": value}, 4)
    assert torch.equal(ema.average["a"], value)
