"""Classes are independent: what is trained for one depends on nothing of the others."""

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional as F

from tests.trainables.funlora import naive
from tests.trainables.funlora.tiny_adapter import merged, settings
from trainables.common.flow.generator import class_field
from trainables.funlora.adapters import new_adapter

CLASSES, EACH, STEPS = 3, 2, 4
Learned = dict[str, torch.Tensor]


def adapted_image(adapter, layer, own: dict[str, torch.Tensor], image: torch.Tensor) -> torch.Tensor:
    """A layer's output for one image. Differentiable, unlike the loops of `naive`."""
    if adapter.method == "scale_shift":
        moved = F.pad(image, [layer.padding[0]] * 4) * own["scale"].view(-1, 1, 1) + own["shift"].view(-1, 1, 1)
        return F.conv2d(moved, layer.weight, layer.bias, layer.stride)
    product = own["A"] @ own["B"]
    factor = sum(own["lambda"][i] * (own["omega"][i] * product).cos() for i in range(adapter.p)) / adapter.p
    return F.conv2d(image, layer.weight * factor[:, :, None, None], layer.bias, layer.stride, layer.padding)


def mixed_field(net, adapter, by_class: list[dict], class_of: list[int]):
    """v(x, t, y) of a mixed batch: every image goes through the layers of its own class."""

    def output(name: str, layer: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
        own = [naive.of_layer(by_class[each], name) for each in class_of]
        return torch.cat([adapted_image(adapter, layer, *each) for each in zip(own, x.split(1), strict=True)])

    def field(*point: torch.Tensor) -> torch.Tensor:
        with naive.replaced(net, naive.layer_names(by_class[0]), output):
            return net(*point)

    return field


def errors(field: Callable[..., torch.Tensor], x_1: torch.Tensor, x_0: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """The mean squared error of every image."""
    x_t = torch.stack([(1 - each) * a + each * b for each, a, b in zip(t, x_0, x_1, strict=True)])
    return (field(x_t, t, torch.zeros(len(t), dtype=torch.long)) - (x_1 - x_0)).square().mean((1, 2, 3))


def trained_apart(net, adapter, learned: Learned, row: torch.Tensor, data: list[torch.Tensor]) -> None:
    """One class on its own images, noise and times, each (steps, images of the class, ...)."""
    optimizer = torch.optim.Adam(learned.values(), lr=1e-2)
    for step in range(STEPS):
        field = class_field(net, merged(net, adapter, learned), row)
        optimizer.zero_grad()
        errors(field, *(part[step] for part in data)).mean().backward()
        optimizer.step()


def trained_jointly(net, adapter, learned: list[Learned], data: list[torch.Tensor]) -> None:
    """All classes by one optimiser, on mixed batches of images, noise and times, each (steps, classes, images, ...)."""
    optimizer = torch.optim.Adam([value for each in learned for value in each.values()], lr=1e-2)
    for step in range(STEPS):
        mix = torch.randperm(CLASSES * EACH)
        class_of = mix.div(EACH, rounding_mode="floor")
        field = mixed_field(net, adapter, learned, class_of.tolist())
        error = errors(field, *(part[step].flatten(0, 1)[mix] for part in data))
        optimizer.zero_grad()
        sum(error[class_of == c].mean() for c in range(CLASSES)).backward()
        optimizer.step()


@pytest.mark.parametrize("values", [{"functions": "cosine_learned"}, {"method": "scale_shift"}], ids=str)
def test_classes_trained_apart_end_where_joint_training_on_mixed_batches_ends(double_net, values) -> None:
    net, adapter = double_net, settings(layers="4-9,21", **values)
    torch.manual_seed(2)
    starts = [{name: value.double() for name, value in new_adapter(net, adapter).items()} for _ in range(CLASSES)]
    images, noise = torch.randn(2, STEPS, CLASSES, EACH, 1, 8, 8).double()
    data = [images, noise, torch.rand(STEPS, CLASSES, EACH).double()]
    apart, jointly = (
        [{name: value.clone().requires_grad_(True) for name, value in start.items()} for start in starts]
        for _ in range(2)
    )
    row = net.class_embedding.weight.mean(0)
    for c, learned in enumerate(apart):
        trained_apart(net, adapter, learned, row, [part[:, c] for part in data])
    net.class_embedding.weight[0] = row.clone()
    trained_jointly(net, adapter, jointly, data)

    for one, other, start in zip(apart, jointly, starts, strict=True):
        for name, value in one.items():
            torch.testing.assert_close(value, other[name], atol=1e-9, rtol=1e-9)
            assert not torch.equal(value, start[name])
    name = next(iter(apart[0]))
    assert not torch.allclose(apart[0][name] - starts[0][name], apart[1][name] - starts[1][name], atol=1e-4)
