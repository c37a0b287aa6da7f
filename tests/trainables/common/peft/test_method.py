"""PEFT methods work on any layer with a weight, in any network."""

import pytest
import torch
from torch import nn
from torch.func import functional_call

from tests.trainables.tiny_network import randomised
from trainables.common.peft.layers import chosen_layers
from trainables.common.peft.method import Method
from trainables.common.peft.methods import METHODS
from trainables.common.peft.settings import Lora, LowRank, ScaleShift
from trainables.common.settings import Settings

VANILLA = LowRank(functions="none", p=1, operation="add", ratio=1, rank=2)
CHOSEN = [
    ("low_rank", VANILLA),
    ("low_rank", LowRank(functions="cosine_learned", p=3, operation="mul", ratio=2, rank=1)),
    ("scale_shift", ScaleShift()),
    ("lora_conv_v1", Lora(rank=2)),
    ("lora_conv_v2", Lora(rank=2)),
]
INPUTS = {
    "linear": (nn.Linear(6, 4), (5, 6)),
    "unbiased": (nn.Linear(6, 4, bias=False), (5, 6)),
    "conv1d": (nn.Conv1d(6, 4, 1), (5, 6, 7)),
    "conv2d": (nn.Conv2d(6, 4, 3, padding=1), (5, 6, 7, 7)),
}


def small_transformer() -> nn.Module:
    """Two blocks with attention and an MLP, the layers of which are Linear."""
    block = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, dropout=0.0, batch_first=True)
    return randomised(nn.TransformerEncoder(block, 2, enable_nested_tensor=False)).eval()


def adapted(net: nn.Module, name: str, settings: Settings, learned: dict, x: torch.Tensor) -> torch.Tensor:
    return functional_call(net, METHODS[name].merged(net, settings, learned), (x,))


@pytest.mark.parametrize("layer", INPUTS)
@pytest.mark.parametrize(("name", "settings"), CHOSEN, ids=str)
def test_an_adapted_layer_starts_as_the_frozen_one_and_leaves_it(layer, name, settings) -> None:
    net = nn.Sequential(randomised(INPUTS[layer][0]))
    x = torch.randn(INPUTS[layer][1])
    learned = METHODS[name].start(net, {"0": settings})
    torch.testing.assert_close(adapted(net, name, settings, learned, x), net(x), atol=1e-5, rtol=1e-5)
    moved = {key: value + 0.3 for key, value in learned.items()}
    assert not torch.allclose(adapted(net, name, settings, moved, x), net(x), atol=1e-3)


@pytest.mark.parametrize("name", ["lora_conv_v1", "lora_conv_v2"])
def test_on_a_layer_without_a_kernel_both_convolutional_loras_are_lora(name) -> None:
    net = nn.Sequential(nn.Linear(6, 4))
    learned = {key: torch.randn_like(value) for key, value in METHODS[name].start(net, {"0": Lora(rank=2)}).items()}
    a, b = learned["0/A"], learned["0/B"]
    assert (a.shape, b.shape) == ((2, 6), (4, 2))
    x = torch.randn(5, 6)
    torch.testing.assert_close(adapted(net, name, Lora(rank=2), learned, x), net(x) + x @ a.T @ b.T)


def test_scale_and_shift_of_a_linear_layer_are_those_of_its_input() -> None:
    net = nn.Sequential(nn.Linear(6, 4))
    learned = {"0/scale": torch.randn(6), "0/shift": torch.randn(6)}
    x = torch.randn(5, 6)
    expected = net(x * learned["0/scale"] + learned["0/shift"])
    torch.testing.assert_close(adapted(net, "scale_shift", ScaleShift(), learned, x), expected)


@pytest.mark.parametrize(("name", "settings"), CHOSEN, ids=str)
def test_the_linear_layers_of_a_transformer_are_adapted_by_name_and_get_the_only_gradients(name, settings) -> None:
    net = small_transformer().requires_grad_(False)
    layers = chosen_layers(net, "layers.1", kind=nn.Linear)
    assert layers == ["layers.1.self_attn.out_proj", "layers.1.linear1", "layers.1.linear2"]
    learned = METHODS[name].start(net, dict.fromkeys(layers, settings))
    for value in learned.values():
        value.requires_grad_(True)
    adapted(net, name, settings, learned, torch.randn(2, 5, 8)).square().mean().backward()
    assert any(value.grad is not None and value.grad.abs().max() > 0 for value in learned.values())
    assert all(parameter.grad is None for parameter in net.parameters())


def test_linear_layers_are_counted_by_index_too() -> None:
    net = small_transformer()
    names = [name for name, module in net.named_modules() if isinstance(module, nn.Linear)]
    assert chosen_layers(net, "0,2-3", kind=nn.Linear) == [names[0], *names[2:4]]


def test_a_method_of_ones_own_has_settings_of_its_own_layer_by_layer() -> None:
    class Bias(Settings):
        start: float

    method = Method(
        Bias,
        lambda settings, layer: {"bias": torch.full(layer.weight.shape[:1], settings.start)},
        lambda settings, layer, learned: {"bias": layer.bias + learned["bias"]},
    )
    net = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2))
    learned = method.start(net, {"0": Bias(start=1), "1": Bias(start=0)})
    x = torch.randn(4, 3)
    found = functional_call(net, method.merged(net, Bias(start=0), learned), (x,))
    torch.testing.assert_close(found, net[1](net[0](x) + 1))
