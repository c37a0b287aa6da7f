import math

import pytest
import torch
from torch.nn import functional as F

from tests.trainables.tiny_network import TINY, randomised
from trainables.common.nets.settings import Backbone
from trainables.common.nets.unet import AttentionBlock, Block, ResBlock, UNet, Upsample, conv_layers, skeleton
from trainables.funlora.config import CIFAR100, DIGITS

IMAGENET100 = Backbone(
    image_channels=3,
    image_side=64,
    channels=128,
    channel_mult=(1, 2, 3, 4),
    res_blocks=2,
    attention_resolutions=(32, 16, 8),
    head_channels=64,
    norm_groups=32,
    dropout=0.0,
)


@pytest.mark.parametrize(
    ("backbone", "classes", "published"),
    [
        (CIFAR100.backbone, 10, 35_751_427),
        (CIFAR100.backbone, 100, 35_797_507),
        (IMAGENET100, 100, 89_586_819),
    ],
)
def test_the_network_has_the_published_number_of_parameters(backbone, classes, published) -> None:
    assert sum(parameter.numel() for parameter in skeleton(backbone, classes).parameters()) == published


@pytest.mark.parametrize(("backbone", "layers"), [(CIFAR100.backbone, 65), (DIGITS.backbone, 65), (IMAGENET100, 67)])
def test_the_network_has_the_papers_number_of_layers(backbone, layers) -> None:
    assert len(conv_layers(skeleton(backbone, 10))) == layers


def test_a_skeleton_holds_no_memory() -> None:
    assert {parameter.device.type for parameter in skeleton(IMAGENET100, 100).parameters()} == {"meta"}


def test_layers_are_numbered_from_the_image_to_the_velocity() -> None:
    names = [name for name, _ in conv_layers(skeleton(TINY, 2))]
    assert (names[0], names[-1]) == ("input_conv", "output_conv")
    sections = [name.split(".")[0] for name in names[1:-1]]
    assert list(dict.fromkeys(sections)) == ["input_blocks", "middle", "output_blocks"]
    assert sections == sorted(sections, key=["input_blocks", "middle", "output_blocks"].index)


def test_an_untrained_network_is_the_zero_field() -> None:
    x = torch.randn(2, 1, 8, 8)
    assert torch.equal(UNet(TINY, 2)(x, torch.rand(2), torch.tensor([0, 1])), torch.zeros_like(x))


def test_the_velocity_depends_on_place_time_and_class(net) -> None:
    torch.manual_seed(0)
    x, t, y = torch.randn(1, 1, 8, 8), torch.tensor([0.3]), torch.tensor([0])
    fields = [net(x, t, y), net(x + 0.1, t, y), net(x, t + 0.1, y), net(x, t, y + 1)]
    assert fields[0].shape == x.shape
    assert all(not torch.allclose(fields[0], other) for other in fields[1:])


def test_images_of_a_batch_do_not_see_each_other(net) -> None:
    torch.manual_seed(0)
    x, t, y = torch.randn(3, 1, 8, 8), torch.rand(3), torch.tensor([0, 1, 1])
    alone = torch.cat([net(x[i : i + 1], t[i : i + 1], y[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(net(x, t, y), alone)


def test_time_is_embedded_as_a_thousand_steps_of_cosines_and_sines(net) -> None:
    seen = []
    net.time_embedding.register_forward_pre_hook(lambda _module, arguments: seen.append(arguments[0][0]))
    net(torch.zeros(1, 1, 8, 8), torch.tensor([0.25]), torch.tensor([0]))
    angles = [250.0 / 10_000 ** (i / 4) for i in range(4)]
    expected = [math.cos(angle) for angle in angles] + [math.sin(angle) for angle in angles]
    torch.testing.assert_close(seen[0], torch.tensor(expected), atol=1e-4, rtol=0)


def test_attention_is_the_softmax_of_scaled_products_per_head() -> None:
    block = randomised(AttentionBlock(TINY, 16))
    x = torch.randn(1, 16, 2, 3, generator=torch.Generator().manual_seed(0))
    q, k, v = block.qkv(block.norm(x.flatten(2)))[0].view(3, 2, 8, 6)
    mixed = []
    for head in range(2):
        weights = torch.einsum("ci,cj->ij", q[head], k[head]).div(math.sqrt(8)).exp()
        shares = weights / weights.sum(1, keepdim=True)
        mixed.append(torch.einsum("ij,cj->ci", shares, v[head]))
    expected = x + block.projection(torch.cat(mixed)[None]).view_as(x)
    torch.testing.assert_close(block(x, torch.zeros(1)), expected)


def test_a_residual_block_adds_the_embedding_between_its_convolutions() -> None:
    block = randomised(ResBlock(TINY, 8, 16)).eval()
    torch.manual_seed(0)
    x, embedding = torch.randn(2, 8, 4, 4), torch.randn(2, 32)
    h = F.conv2d(F.silu(block.norm1(x)), block.conv1.weight, block.conv1.bias, padding=1)
    h = h + (embedding @ block.embedding.weight.T + block.embedding.bias).view(2, 16, 1, 1)
    h = F.conv2d(F.silu(block.norm2(h)), block.conv2.weight, block.conv2.bias, padding=1)
    torch.testing.assert_close(block(x, embedding), h + F.conv2d(x, block.skip.weight, block.skip.bias))


def test_upsampling_repeats_every_pixel() -> None:
    block = Upsample(3)
    x = torch.randn(2, 3, 4, 5)
    doubled = F.interpolate(x, scale_factor=2.0, mode="nearest")
    torch.testing.assert_close(Block([block])(x, torch.zeros(1)), block.conv(doubled))
