import copy

import pytest
import torch

from sweeper.stage import InvalidConfig
from tests.trainables.conftest import TINY
from trainables.funlora.config import DIGITS
from trainables.funlora.rank_one import chosen_layers, class_field, merged_weights, rank_one
from trainables.unet import UNet, conv_layers, skeleton


@pytest.fixture
def point() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.randn(3, 1, 8, 8), torch.rand(3), torch.tensor([0, 1, 1])


@pytest.fixture
def adapter(net: UNet) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    start = rank_one(net, chosen_layers(net, "3-17"))
    return {name: torch.randn_like(value) for name, value in start.items()}


def test_a_range_names_its_layers_with_both_ends() -> None:
    net = skeleton(TINY, 2)
    names = [name for name, _ in conv_layers(net)]
    assert chosen_layers(net, "0-24") == names
    assert chosen_layers(net, "2-4") == names[2:5]
    assert chosen_layers(net, "7-7") == [names[7]]
    assert chosen_layers(net, "none") == []


@pytest.mark.parametrize("layers", ["60-65", "65-65", "0-1000"])
def test_layers_that_the_network_lacks_are_refused_with_those_it_has(layers) -> None:
    with pytest.raises(InvalidConfig) as error:
        chosen_layers(skeleton(DIGITS.backbone, 2), layers)
    assert error.value.field == "adapter.layers"
    assert str(error.value) == (
        f"adapter.layers: {layers} is out of bounds\n  fix: this backbone's Conv2d layers are 0-64"
    )


def test_an_adapter_at_its_start_leaves_the_field_as_it_is(net, point) -> None:
    x, t, y = point
    start = merged_weights(net, rank_one(net, chosen_layers(net, "0-24")))
    assert len(start) == 25
    velocity = class_field(net, start, net.class_embedding.weight[1])(x, t, y)
    assert torch.equal(velocity, net(x, t, torch.ones_like(y)))
    assert velocity.abs().max() > 0.01


def test_a_layer_costs_its_channels_in_and_out(net) -> None:
    parameters = rank_one(net, ["input_blocks.2.0.conv1", "output_blocks.1.0.skip"])
    assert {name: value.shape for name, value in parameters.items()} == {
        "input_blocks.2.0.conv1.A": (16,),
        "input_blocks.2.0.conv1.B": (8,),
        "output_blocks.1.0.skip.A": (16,),
        "output_blocks.1.0.skip.B": (24,),
    }


def test_merged_weights_are_the_base_times_the_factors_of_their_channels(net, adapter) -> None:
    merged = merged_weights(net, adapter)
    assert set(merged) == {f"{name}.weight" for name in chosen_layers(net, "3-17")}
    name = "input_blocks.2.0.conv1"
    base, a, b = net.get_parameter(f"{name}.weight"), adapter[f"{name}.A"], adapter[f"{name}.B"]
    expected = torch.empty_like(base)
    for o in range(16):
        for i in range(8):
            for k in range(3):
                for m in range(3):
                    expected[o, i, k, m] = base[o, i, k, m] * a[o] * b[i]
    torch.testing.assert_close(merged[f"{name}.weight"], expected)


def test_the_field_of_a_class_is_that_of_a_network_with_its_weights_copied_in(net, adapter, point) -> None:
    x, t, y = point
    embedding = torch.randn(32)
    copied = copy.deepcopy(net)
    for name, layer in conv_layers(copied):
        if f"{name}.A" in adapter:
            layer.weight *= adapter[f"{name}.A"].view(-1, 1, 1, 1)
            layer.weight *= adapter[f"{name}.B"].view(1, -1, 1, 1)
    copied.class_embedding.weight[1] = embedding
    velocity = class_field(net, merged_weights(net, adapter), embedding)(x, t, y)
    torch.testing.assert_close(velocity, copied(x, t, torch.ones_like(y)))
    assert not torch.allclose(velocity, net(x, t, torch.ones_like(y)))


def test_the_frozen_network_is_not_touched(net, adapter, point) -> None:
    before = {name: value.clone() for name, value in net.state_dict().items()}
    class_field(net, merged_weights(net, adapter), torch.randn(32))(*point)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_gradients_reach_the_factors_alone(net, adapter, point) -> None:
    for value in adapter.values():
        value.requires_grad_(True)
    class_field(net, merged_weights(net, adapter), torch.randn(32))(*point).square().sum().backward()
    assert all(value.grad.abs().sum() > 0 for value in adapter.values())
    assert all(parameter.grad is None for parameter in net.parameters())
