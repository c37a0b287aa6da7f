import pytest
import torch

from trainables.common.nets.resnet import ResNet18, random_crop, random_flip


def test_the_classifier_of_the_paper_has_the_size_of_resnet18_for_cifar() -> None:
    assert sum(parameter.numel() for parameter in ResNet18(3, 64, 100).parameters()) == 11_220_132


def test_the_logits_come_from_a_map_of_an_eighth_of_the_side() -> None:
    net = ResNet18(1, 4, 7)
    seen = []
    net.blocks.register_forward_hook(lambda _module, _arguments, output: seen.append(output.shape))
    assert net(torch.randn(2, 1, 16, 24)).shape == (2, 7)
    assert seen == [(2, 32, 2, 3)]


def test_the_logits_are_the_last_layers_of_the_features() -> None:
    net = ResNet18(1, 4, 7)
    images = torch.randn(3, 1, 8, 8)
    seen = []
    net.head.register_forward_hook(lambda _module, arguments, _output: seen.append(arguments[0]))
    net.eval()(images)
    assert torch.equal(seen[0], net.features(images))
    assert seen[0].shape == (3, 8 * 4)


def shifted(image: torch.Tensor, down: int, right: int) -> torch.Tensor:
    moved = torch.zeros_like(image)
    channels, height, width = image.shape
    for c in range(channels):
        for y in range(height):
            for x in range(width):
                if 0 <= y + down < height and 0 <= x + right < width:
                    moved[c, y, x] = image[c, y + down, x + right]
    return moved


def test_a_cropped_image_is_a_shifted_one_and_every_shift_occurs() -> None:
    torch.manual_seed(0)
    image = torch.randn(2, 3, 4)
    shifts = {(down, right): shifted(image, down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)}
    counts = dict.fromkeys(shifts, 0)
    for cropped in random_crop(image.expand(180, 2, 3, 4), 1):
        (found,) = [shift for shift, expected in shifts.items() if torch.equal(cropped, expected)]
        counts[found] += 1
    assert min(counts.values()) > 5


def test_every_image_is_cropped_for_itself() -> None:
    torch.manual_seed(0)
    images = torch.randn(20, 1, 5, 5) + 10 * torch.arange(20).view(20, 1, 1, 1)
    for image, cropped in zip(images, random_crop(images, 2), strict=True):
        shifts = [shifted(image, down, right) for down in range(-2, 3) for right in range(-2, 3)]
        assert any(torch.equal(cropped, each) for each in shifts)


@pytest.mark.parametrize("channels", [1, 3])
def test_cropping_keeps_the_memory_layout_that_convolutions_are_safe_in(channels) -> None:
    images = torch.randn(4, channels, 5, 6)
    assert random_crop(images, 1).stride() == images.stride()


def test_half_of_the_images_are_mirrored() -> None:
    torch.manual_seed(0)
    images = torch.randn(400, 2, 3, 4)
    flipped = random_flip(images)
    mirrored = 0
    for image, result in zip(images, flipped, strict=True):
        mirror = torch.stack([image[:, :, 3 - column] for column in range(4)], dim=2)
        assert torch.equal(result, image) != torch.equal(result, mirror)
        mirrored += torch.equal(result, mirror)
    assert 160 < mirrored < 240
