import math

import pytest
import torch
from inline_snapshot import snapshot
from torch.nn import functional as F

from sweeper.trainable.stage import InvalidConfig
from tests.trainables.funlora import naive
from tests.trainables.funlora.tiny_adapter import merged, settings
from tests.trainables.tiny_network import TINY
from trainables.common.flow.generator import class_field
from trainables.common.flow.path import flow_matching_loss
from trainables.common.nets.unet import conv_layers, skeleton
from trainables.funlora.adapters import new_adapter

FUNCTIONS = ["none", "rshift", "power", "power_learned", "cosine", "cosine_learned"]
OPERATIONS = ["mul", "add", "mul_add"]
RIVALS = ["scale_shift", "lora_conv_v1", "lora_conv_v2"]
EVERY = [
    *({"functions": functions, "operation": operation} for functions in FUNCTIONS for operation in OPERATIONS),
    *({"method": method} for method in RIVALS),
]
SHAPES = [
    *(
        {"ratio": ratio, "rank": rank, "functions": functions}
        for ratio in (2, 3)
        for rank in (1, 2)
        for functions in ("none", "cosine_learned")
    ),
    {"rank": 2, "raised": "3-5"},
    {"rank": 2, "operation": "add", "functions": "rshift"},
    {"p": 10, "functions": "cosine"},
    {"p": 1, "functions": "power_learned"},
    {"method": "lora_conv_v1", "rank": 3},
    {"method": "lora_conv_v2", "rank": 2, "raised": "0"},
]
ATTENTION = [
    {"layers": "attention", "functions": "cosine_learned"},
    {"layers": "attention", "functions": "rshift", "operation": "add"},
    {"layers": "attention,20-24", "method": "scale_shift"},
    {"layers": "attention", "method": "lora_conv_v1", "rank": 2},
    {"layers": "attention,0-3", "method": "lora_conv_v2"},
]


def named(values: dict) -> str:
    return " ".join(str(value) for value in values.values())


def double(values: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.double() for name, value in values.items()}


def velocity(net, adapter, values, embedding, point) -> torch.Tensor:
    """The field of the class; the rows of the batch say nothing to it."""
    return class_field(net, merged(net, adapter, values), embedding)(*point)


@pytest.mark.parametrize("values", [*EVERY, *SHAPES, *ATTENTION, {"layers": "none"}], ids=named)
def test_a_new_adapter_leaves_the_field_as_it_is(double_net, point, values) -> None:
    adapter = settings(**values)
    torch.manual_seed(3)
    started = double(new_adapter(double_net, adapter))
    x, t, y = point
    before = double_net(x, t, torch.ones_like(y))
    after = velocity(double_net, adapter, started, double_net.class_embedding.weight[1], point)
    torch.testing.assert_close(after, before, atol=1e-5, rtol=1e-5)
    assert before.abs().max() > 0.1


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"rank": 2, "raised": "4"},
        {"operation": "add"},
        {"functions": "rshift", "operation": "mul_add"},
        {"method": "lora_conv_v1"},
    ],
    ids=named,
)
def test_a_new_adapter_without_cosines_is_the_base_to_the_last_bit(net, point, values) -> None:
    x, t, y = (value.float() if value.is_floating_point() else value for value in point)
    adapter = settings(**values)
    after = velocity(net, adapter, new_adapter(net, adapter), net.class_embedding.weight[0], (x, t, y))
    assert torch.equal(after, net(x, t, torch.zeros_like(y)))


def channels(net, layers: slice) -> list[tuple[int, int, int]]:
    """(c_out, c_in, k) of Conv2d layers."""
    return [(*layer.weight.shape[:2], layer.kernel_size[0]) for _, layer in conv_layers(net)[layers]]


def cost(net, **values: object) -> int:
    return sum(value.numel() for value in new_adapter(net, settings(**values)).values())


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_vanilla_adapter_costs_its_channels_in_and_out(net, operation) -> None:
    assert cost(net, operation=operation) == sum(c_out + c_in for c_out, c_in, _ in channels(net, slice(25)))
    assert cost(net, operation=operation, layers="4-4") == 16 + 8
    assert cost(net, operation=operation, layers="none") == 0


@pytest.mark.parametrize(
    ("functions", "each"),
    [("none", 0), ("rshift", 5), ("power", 5), ("power_learned", 10), ("cosine", 5), ("cosine_learned", 10)],
)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_functions_cost_a_ponderation_each_and_a_frequency_where_it_is_learned(net, functions, each, operation) -> None:
    plain = sum(c_out + c_in for c_out, c_in, _ in channels(net, slice(3, 18)))
    assert cost(net, layers="3-17", functions=functions, operation=operation, p=5) == plain + 15 * each


@pytest.mark.parametrize("ratio", [1, 2, 3, 5, 100])
def test_a_ratio_divides_the_cost_rounded_up(net, ratio) -> None:
    expected = sum(math.ceil(c_out / ratio) + math.ceil(c_in / ratio) for c_out, c_in, _ in channels(net, slice(25)))
    assert cost(net, ratio=ratio) == expected


def test_a_rank_multiplies_the_cost_and_raised_layers_pay_once_more(net) -> None:
    every, raised = (sum(a + b for a, b, _ in channels(net, which)) for which in (slice(25), slice(7, 11)))
    assert cost(net, rank=3) == 3 * every
    assert cost(net, rank=3, raised="middle") == 3 * every + raised
    assert cost(net, rank=1, raised="7-10", functions="cosine", p=2) == every + raised + 25 * 2


def test_the_rivals_cost_what_their_papers_say(net) -> None:
    shapes = channels(net, slice(25))
    assert cost(net, method="scale_shift") == sum(2 * c_in for _, c_in, _ in shapes)
    for rank in (1, 3):
        v1 = sum(k**2 * rank * (c_in + c_out) for c_out, c_in, k in shapes)
        v2 = sum(k * rank * (c_in + c_out) for c_out, c_in, k in shapes)
        assert cost(net, method="lora_conv_v1", rank=rank) == v1
        assert cost(net, method="lora_conv_v2", rank=rank) == v2
    once_more = sum(3 * (c_in + c_out) for c_out, c_in, _ in shapes[9:11])
    assert cost(net, method="lora_conv_v2", raised="9-10") == cost(net, method="lora_conv_v2") + once_more


def test_projections_of_attention_cost_their_channels(net) -> None:
    assert cost(net, layers="attention") == 4 * ((3 * 16 + 16) + (16 + 16))
    assert cost(net, layers="attention", method="lora_conv_v1", rank=2) == 2 * 4 * ((3 * 16 + 16) + (16 + 16))


def test_raised_layers_that_are_not_adapted_are_refused(net) -> None:
    with pytest.raises(InvalidConfig) as error:
        new_adapter(net, settings(layers="5-9", raised="8-11"))
    assert str(error.value) == snapshot("""\
adapter.raised: middle.2.conv2 is not adapted
  fix: raise layers of adapter.layers alone\
""")
    assert error.value.field == "adapter.raised"


def test_raised_layers_that_the_network_lacks_are_refused_by_their_own_name(net) -> None:
    with pytest.raises(InvalidConfig, match=r"^adapter\.raised: "):
        new_adapter(net, settings(raised="25"))


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("functions", ["none", "power", "cosine_learned"])
@pytest.mark.parametrize("ratio", [1, 3])
def test_merged_kernels_are_those_of_the_formula_tap_by_tap(double_net, scrambled, operation, functions, ratio) -> None:
    adapter = settings(layers="4", operation=operation, functions=functions, ratio=ratio, rank=2)
    values = scrambled(new_adapter(double_net, adapter))
    learned = {name.partition("/")[2]: value for name, value in values.items()}
    base, factor = double_net.get_submodule("input_blocks.2.0.conv1").weight, naive.factor(adapter, learned, 16, 8)
    expected = torch.empty_like(base)
    for o in range(16):
        for c in range(8):
            for i in range(3):
                for j in range(3):
                    w, f = base[o, c, i, j], factor[o, c]
                    expected[o, c, i, j] = {"mul": w * f, "add": w + f, "mul_add": w + w * f}[operation]
    weights = merged(double_net, adapter, values)
    assert set(weights) == {"input_blocks.2.0.conv1.weight"}
    torch.testing.assert_close(weights["input_blocks.2.0.conv1.weight"], expected, atol=1e-12, rtol=1e-10)


@pytest.mark.parametrize("method", ["lora_conv_v1", "lora_conv_v2"])
@pytest.mark.parametrize("name", ["output_blocks.2.0.conv1", "output_blocks.2.0.skip", "middle.1.qkv"])
def test_convolutional_lora_adds_the_product_as_it_lies_in_memory(double_net, scrambled, method, name) -> None:
    adapter = settings(method=method, layers="attention,18,20", rank=2)
    values = scrambled(new_adapter(double_net, adapter))
    layer = double_net.get_submodule(name)
    c_out, c_in, k, *_ = layer.weight.shape
    a, b = values[f"{name}/A"], values[f"{name}/B"]
    assert (a.shape[1], b.shape[0]) == (c_in * k, c_out * k)
    assert a.shape[0] == b.shape[1] == (2 * k if method == "lora_conv_v1" else 2)
    expected = naive.loralib_weight(layer, {"A": a, "B": b})
    torch.testing.assert_close(merged(double_net, adapter, values)[f"{name}.weight"], expected)


@pytest.mark.parametrize("name", ["output_blocks.2.0.conv1", "output_blocks.2.0.skip", "input_blocks.1.0.conv"])
def test_scale_and_shift_are_those_of_the_layers_padded_input(double_net, scrambled, name) -> None:
    adapter = settings(method="scale_shift", layers="0-24")
    values = scrambled(new_adapter(double_net, adapter))
    layer, (scale, shift) = double_net.get_submodule(name), (values[f"{name}/{part}"] for part in ("scale", "shift"))
    x, pad = torch.randn(2, layer.in_channels, 6, 6).double(), layer.padding[0]
    padded = shift.view(1, -1, 1, 1).repeat(2, 1, 6 + 2 * pad, 6 + 2 * pad)  # a pixel that is 0 becomes the shift
    for c in range(layer.in_channels):
        padded[:, c, pad : pad + 6, pad : pad + 6] += scale[c] * x[:, c]
    expected = F.conv2d(padded, layer.weight, layer.bias, layer.stride)
    weights = merged(double_net, adapter, values)
    output = F.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], layer.stride, layer.padding)
    torch.testing.assert_close(output, expected, atol=1e-12, rtol=1e-10)


@pytest.mark.parametrize("values", [*EVERY, *SHAPES, *ATTENTION, {"layers": "none"}], ids=named)
def test_the_field_of_a_class_is_the_frozen_network_with_adapted_layers_in_the_forward_pass(
    double_net, point, scrambled, values
) -> None:
    adapter = settings(**values)
    learned = scrambled(new_adapter(double_net, adapter))
    embedding = torch.randn(32).double()
    after = velocity(double_net, adapter, learned, embedding, point)
    x, t, y = point
    base = double_net(x, t, y)
    double_net.class_embedding.weight[1] = embedding

    def output(name: str, layer: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
        return naive.adapted(adapter, layer, naive.of_layer(learned, name), x)

    with naive.replaced(double_net, naive.layer_names(learned), output):
        expected = double_net(x, t, torch.ones_like(y))
    torch.testing.assert_close(after, expected, atol=1e-10, rtol=1e-10)
    assert not torch.allclose(after, base, atol=1e-3)


def test_the_frozen_network_is_not_touched(net, point) -> None:
    before = {name: value.clone() for name, value in net.state_dict().items()}
    adapter = settings(method="scale_shift")
    values = {name: torch.randn_like(value) for name, value in new_adapter(net, adapter).items()}
    x, t, y = point
    velocity(net, adapter, values, torch.randn(32), (x.float(), t.float(), y))
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def train(net, adapter, steps: int) -> tuple[dict, dict, list]:
    """Adam from the start of an adapter: its values before and after, and the gradients of every step."""
    torch.manual_seed(1)
    learned = new_adapter(net, adapter)
    started = {name: value.clone() for name, value in learned.items()}
    for value in learned.values():
        value.requires_grad_(True)
    optimizer, gradients = torch.optim.Adam(learned.values(), lr=1e-2), []
    embedding, images = net.class_embedding.weight.mean(0), torch.randn(4, 1, 8, 8)
    for _ in range(steps):
        field = class_field(net, merged(net, adapter, learned), embedding)
        optimizer.zero_grad(set_to_none=True)
        flow_matching_loss(field, images, torch.zeros(4, dtype=torch.long)).backward()
        gradients.append({name: value.grad.clone() for name, value in learned.items()})
        optimizer.step()
    return started, {name: value.detach() for name, value in learned.items()}, gradients


@pytest.mark.parametrize(
    "values",
    [*EVERY, *ATTENTION, {"rank": 2, "raised": "4"}, {"rank": 2, "functions": "cosine"}, {"ratio": 3}],
    ids=named,
)
def test_everything_learned_moves_within_two_steps_and_the_base_gets_no_gradient(net, values) -> None:
    started, ended, gradients = train(net, settings(**values), steps=2)
    assert len(started) >= 4
    for name, value in ended.items():
        assert (gradients[0][name].abs() + gradients[1][name].abs()).max() > 0, name
        assert (value != started[name]).all(), name
    assert all(parameter.grad is None for parameter in net.parameters())


@pytest.mark.parametrize("values", [{"rank": 2}, {"rank": 1, "raised": "4-9"}, {"rank": 2, "ratio": 2}], ids=named)
def test_a_second_rank_of_a_multiplicative_adapter_is_one_after_a_few_steps(net, values) -> None:
    adapter = settings(layers="4-9", **values)
    _, learned, _ = train(net, adapter, steps=5)
    for name in naive.layer_names(learned):
        matrix = naive.factor(adapter, double(naive.of_layer(learned, name)), 16, 8)
        singular = torch.linalg.svdvals(matrix)
        assert singular[1] > 1e-3 * singular[0], name
        assert singular[2] < 1e-10


def test_an_adapter_is_counted_on_a_network_without_memory(net) -> None:
    adapter = settings(functions="cosine_learned", operation="add", layers="attention,0-24")
    counted, real = new_adapter(skeleton(TINY, 2), adapter), new_adapter(net, adapter)
    assert {name: value.shape for name, value in counted.items()} == {name: v.shape for name, v in real.items()}
    assert {value.device.type for value in counted.values()} == {"meta"}


def test_adapters_are_drawn_from_torchs_generator(net) -> None:
    adapter, drawn = settings(operation="add"), []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        drawn.append(new_adapter(net, adapter)["middle.0.conv1/A"])
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
