import numpy as np
import pytest
import torch
from torch.nn import functional as F

from trainables.common.nets.inception import Inception, resize_as_tensorflow


@pytest.fixture(scope="module")
def net() -> Inception:
    """The network with statistics and scales of its own in every normalisation."""
    torch.manual_seed(0)
    net = Inception()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 1, 2)
            torch.nn.init.normal_(module.bias, 0, 0.1)
            torch.nn.init.normal_(module.running_mean, 0, 0.05)
            torch.nn.init.uniform_(module.running_var, 0.05, 0.2)
    return net.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.randint(256, (2, 3, 32, 24), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


def as_written_out(state: dict[str, torch.Tensor], images: torch.Tensor) -> torch.Tensor:
    """The 2048 features, layer by layer."""

    def conv(name: str, x: torch.Tensor, stride: int = 1, padding: tuple[int, int] = (0, 0)) -> torch.Tensor:
        x = F.conv2d(x, state[f"{name}.conv.weight"], stride=stride, padding=padding)
        mean, variance, weight, bias = (
            state[f"{name}.bn.{part}"][:, None, None] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return F.relu((x - mean) / (variance + 0.001).sqrt() * weight + bias)

    def chain(x: torch.Tensor, *names: str, last_stride: int = 1) -> torch.Tensor:
        for name in names:
            stride = last_stride if name == names[-1] else 1
            height, width = state[f"{name}.conv.weight"].shape[2:]
            x = conv(name, x, stride, (0, 0) if stride == 2 else (height // 2, width // 2))
        return x

    def mean(x: torch.Tensor) -> torch.Tensor:
        ones = torch.ones_like(x)
        return F.avg_pool2d(x, 3, 1, 1) / F.avg_pool2d(ones, 3, 1, 1)

    x = (resize_as_tensorflow(images.float(), 299) - 128) / 128
    x = conv("Conv2d_2a_3x3", conv("Conv2d_1a_3x3", x, 2))
    x = F.max_pool2d(conv("Conv2d_2b_3x3", x, 1, (1, 1)), 3, 2)
    x = F.max_pool2d(conv("Conv2d_4a_3x3", conv("Conv2d_3b_1x1", x)), 3, 2)
    for m in ("Mixed_5b", "Mixed_5c", "Mixed_5d"):
        five = chain(x, f"{m}.branch5x5_1", f"{m}.branch5x5_2")
        three = chain(x, *(f"{m}.branch3x3dbl_{i}" for i in (1, 2, 3)))
        x = torch.cat([chain(x, f"{m}.branch1x1"), five, three, chain(mean(x), f"{m}.branch_pool")], 1)
    m = "Mixed_6a"
    three = chain(x, *(f"{m}.branch3x3dbl_{i}" for i in (1, 2, 3)), last_stride=2)
    x = torch.cat([chain(x, f"{m}.branch3x3", last_stride=2), three, F.max_pool2d(x, 3, 2)], 1)
    for m in ("Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"):
        seven = chain(x, *(f"{m}.branch7x7_{i}" for i in (1, 2, 3)))
        double = chain(x, *(f"{m}.branch7x7dbl_{i}" for i in (1, 2, 3, 4, 5)))
        x = torch.cat([chain(x, f"{m}.branch1x1"), seven, double, chain(mean(x), f"{m}.branch_pool")], 1)
    m = "Mixed_7a"
    three = chain(x, f"{m}.branch3x3_1", f"{m}.branch3x3_2", last_stride=2)
    seven = chain(x, *(f"{m}.branch7x7x3_{i}" for i in (1, 2, 3, 4)), last_stride=2)
    x = torch.cat([three, seven, F.max_pool2d(x, 3, 2)], 1)
    for m in ("Mixed_7b", "Mixed_7c"):
        three, double = chain(x, f"{m}.branch3x3_1"), chain(x, f"{m}.branch3x3dbl_1", f"{m}.branch3x3dbl_2")
        threes = [chain(three, f"{m}.branch3x3_2{side}") for side in "ab"]
        doubles = [chain(double, f"{m}.branch3x3dbl_3{side}") for side in "ab"]
        pooled = mean(x) if m == "Mixed_7b" else F.max_pool2d(x, 3, 1, 1)
        x = torch.cat([chain(x, f"{m}.branch1x1"), *threes, *doubles, chain(pooled, f"{m}.branch_pool")], 1)
    return x.mean((2, 3))


def test_the_features_are_those_of_the_network_written_out(net, images) -> None:
    features = net(images)
    assert features.shape == (2, 2048)
    assert features.std() > 0.01
    rounding = 1e-5 * features.max().item()  # the net's scales make features of 1e9
    assert torch.allclose(features, as_written_out(net.state_dict(), images), rtol=1e-3, atol=rounding)


def test_it_has_the_parameters_of_the_published_network_with_1008_logits(net) -> None:
    # torchvision documents 27,161,264 for its inception_v3. 3,326,696 of them are the auxiliary classifier's:
    # 768 * 128 + 2 * 128, 128 * 768 * 25 + 2 * 768 and 769 * 1000. Logits take 2,049 each; here 8 more.
    assert sum(each.numel() for each in net.parameters()) == 27_161_264 - 3_326_696 + 8 * 2_049


def test_tensors_have_the_names_of_the_ported_file(net) -> None:
    shapes = {name: tuple(value.shape) for name, value in net.state_dict().items()}
    assert shapes["Conv2d_1a_3x3.conv.weight"] == (32, 3, 3, 3)
    assert shapes["Mixed_5b.branch1x1.bn.running_mean"] == (64,)
    assert shapes["Mixed_6c.branch7x7dbl_4.conv.weight"] == (160, 160, 7, 1)
    assert shapes["Mixed_7a.branch7x7x3_4.conv.weight"] == (192, 192, 3, 3)
    assert shapes["Mixed_7c.branch3x3dbl_3b.bn.bias"] == (384,)
    assert shapes["fc.weight"] == (1008, 2048)
    assert len(shapes) == 94 * 6 + 2  # Conv2d_*, then what a Mixed_* has: 5 + 3*7 + 4 + 4*10 + 6 + 2*9


def test_long_kernels_lie_as_in_the_ported_file(net) -> None:
    lying = ("7x7_2", "7x7dbl_3", "7x7dbl_5", "7x7x3_2", "3x3_2a", "3x3dbl_3a")
    standing = ("7x7_3", "7x7dbl_2", "7x7dbl_4", "7x7x3_3", "3x3_2b", "3x3dbl_3b")
    for name, value in net.state_dict().items():
        if name.endswith("conv.weight"):
            height, width = value.shape[2:]
            branch = name.split(".")[1].removeprefix("branch") if name.startswith("Mixed") else ""
            halved = name.startswith(("Mixed_5", "Mixed_6a", "Mixed_7a.branch3x3"))
            assert (height < width) == (branch in lying and not halved)
            assert (height > width) == (branch in standing and not halved)


def test_the_sides_of_the_feature_maps_are_those_of_299_pixels(net, images) -> None:
    sides = {}
    handles = [
        net.get_submodule(name).register_forward_hook(
            lambda _module, _arguments, output, name=name: sides.update({name: tuple(output.shape[1:])})
        )
        for name in ("Conv2d_2b_3x3", "Mixed_5d", "Mixed_6e", "Mixed_7a", "Mixed_7c")
    ]
    net(images[:1])
    for handle in handles:
        handle.remove()
    assert sides == {
        "Conv2d_2b_3x3": (64, 147, 147),
        "Mixed_5d": (288, 35, 35),
        "Mixed_6e": (768, 17, 17),
        "Mixed_7a": (1280, 8, 8),
        "Mixed_7c": (2048, 8, 8),
    }


def test_a_grey_image_is_a_colour_image_of_three_equal_channels(net, images) -> None:
    grey = images[:1, :1]
    assert torch.equal(net(grey), net(grey.repeat(1, 3, 1, 1)))


def test_a_row_is_stretched_from_its_first_pixel_on() -> None:
    row = torch.tensor([0.0, 10]).expand(1, 1, 2, 2)
    assert resize_as_tensorflow(row, 4)[0, 0].tolist() == [[0, 5, 10, 10]] * 4
    assert F.interpolate(row, (4, 4), mode="bilinear")[0, 0].tolist() == [[0, 2.5, 7.5, 10]] * 4


@pytest.mark.parametrize(("height", "width", "side"), [(5, 3, 11), (8, 8, 37), (9, 14, 4), (6, 6, 6)])
def test_resizing_is_that_of_tensorflow_1_pixel_by_pixel(height, width, side) -> None:
    images = torch.randint(256, (2, 3, height, width), generator=torch.Generator().manual_seed(0)).float()
    resized = resize_as_tensorflow(images, side).numpy()
    source = images.numpy()
    scale_y, scale_x = np.float32(height / side), np.float32(width / side)
    for i in range(side):
        for j in range(side):
            y, x = np.float32(i) * scale_y, np.float32(j) * scale_x
            top, left = int(y), int(x)
            bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
            upper = source[..., top, left] + (source[..., top, right] - source[..., top, left]) * (x - left)
            lower = source[..., bottom, left] + (source[..., bottom, right] - source[..., bottom, left]) * (x - left)
            assert np.allclose(resized[..., i, j], upper + (lower - upper) * (y - top), rtol=0, atol=1e-4)
