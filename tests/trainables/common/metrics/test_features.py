from pathlib import Path

import pytest
import torch
from inline_snapshot import snapshot
from safetensors.torch import load_file

from sweeper.errors import InvalidConfig
from sweeper.trainable.stage import StageRun, stage
from tests.masked import masked
from tests.trainables.fake_run import KilledError
from tests.trainables.noise_images import noise_images, write_data
from trainables.common.classifier.artifact import Description, save_classifier
from trainables.common.data.images import to_unit
from trainables.common.metrics import features
from trainables.common.metrics.features import (
    check_quality,
    extract_features,
    inception_features,
    read_features,
    resnet18_features,
)
from trainables.common.metrics.fid_weights import load_inception, weights_digest
from trainables.common.metrics.settings import Quality
from trainables.common.nets.inception import Inception
from trainables.common.nets.resnet import ResNet18

NONE = Quality(features="none", weights=None, neighbours=3, grid=False)
OWN = NONE.model_copy(update={"features": "resnet18"})


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of weights of the FID's network."""
    path = tmp_path_factory.mktemp("fid") / "inception.pth"
    torch.manual_seed(0)
    state = Inception().state_dict()
    torch.save({name: value / 10 if "running_var" in name else value for name, value in state.items()}, path)
    yield str(path)
    path.unlink()  # 95 MB


def fid(weights: str | None) -> Quality:
    return NONE.model_copy(update={"features": "inception", "weights": weights})


@pytest.fixture
def net() -> ResNet18:
    torch.manual_seed(0)
    net = ResNet18(1, 4, 3)
    net(torch.randn(16, 1, 8, 8))  # its running statistics are its own
    return net.eval()


@pytest.fixture
def classifier(tmp_path, net):
    (tmp_path / "classifier").mkdir()
    save_classifier(tmp_path / "classifier", Description(image_channels=1, width=4, classes=(0, 1, 2)), net)
    return tmp_path / "classifier"


def penultimate(net: ResNet18, pixels: torch.Tensor) -> torch.Tensor:
    """What the last layer is given."""
    seen = []
    handle = net.head.register_forward_hook(lambda _module, arguments, _output: seen.append(arguments[0]))
    net(to_unit(pixels))
    handle.remove()
    return seen[0]


def test_features_are_what_the_classifiers_last_layer_sees_of_the_images_taken(start, images, net, classifier) -> None:
    run = start()
    resnet18_features.body(run, (images,), (3, 1), classifier)
    pixels, labels = noise_images()
    expected = penultimate(net, pixels[(labels == 1) | (labels == 3)])
    found = load_file(run.output / "features.safetensors")["features"]
    assert found.dtype == torch.float32
    assert found.shape == (20, 8 * 4)
    assert torch.allclose(found, expected, atol=1e-6)
    assert expected.std(0).max() > 1e-3


def test_banks_follow_one_another(start, tmp_path, net, classifier) -> None:
    pixels, _ = noise_images()
    banks = [write_data(tmp_path / f"bank{i}", part, torch.full((20,), i)) for i, part in enumerate(pixels.split(20))]
    run = start()
    resnet18_features.body(run, (banks[1], banks[0]), (0, 1), classifier)
    expected = penultimate(net, pixels.roll(20, 0))
    assert torch.allclose(read_features(run.output), expected, atol=1e-6)


def test_a_continued_extraction_ends_with_the_same_bytes(start, images, classifier, monkeypatch) -> None:
    monkeypatch.setattr(features, "BATCH", 9)
    arguments = ((images,), (0, 1, 2), classifier)
    undisturbed, killed = start("undisturbed"), start("killed", save_at=2, die_at=27)
    resnet18_features.body(undisturbed, *arguments)
    assert [step for step, *_ in undisturbed.logged] == [9, 18, 27, 30]
    with pytest.raises(KilledError):
        resnet18_features.body(killed, *arguments)
    continued = start("continued", saved=killed.kept)
    resnet18_features.body(continued, *arguments)
    assert [step for step, *_ in continued.logged] == [27, 30]
    ends = [(run.output / "features.safetensors").read_bytes() for run in (undisturbed, continued)]
    assert ends[0] == ends[1]


def test_the_features_of_the_fid_are_its_networks_of_the_raw_pixels(start, tmp_path, weights) -> None:
    pixels = noise_images()[0][:2]
    bank, run, digest = write_data(tmp_path / "bank", pixels, torch.tensor([0, 0])), start(), weights_digest(weights)
    inception_features.body(run, (bank,), (0,), digest, weights)
    found = read_features(run.output)
    assert torch.allclose(found, load_inception(weights, digest)(pixels), rtol=1e-4)
    assert (found[0] - found[1]).abs().max() > 1e-2


@stage(version=1)
def source(run: StageRun, name: str) -> None:
    """An input to build nodes on."""


IMAGES, CLASSIFIER = source(name="images"), source(name="classifier")


def test_quality_says_which_network_is_used_and_what_is_built(weights) -> None:
    own = extract_features(IMAGES, (0, 1), CLASSIFIER, OWN)
    foreign = extract_features([IMAGES], (0, 1), CLASSIFIER, fid(weights))
    assert own.function is resnet18_features
    assert CLASSIFIER in own.parents()
    assert foreign.function is inception_features
    assert CLASSIFIER not in foreign.parents()
    assert foreign.work > own.work


def test_features_are_shared_whatever_the_order_of_classes_and_the_place_of_the_weights(weights, tmp_path) -> None:
    (tmp_path / "copy.pth").symlink_to(weights)
    for quality, moved in ((OWN, OWN), (fid(weights), fid(str(tmp_path / "copy.pth")))):
        node = extract_features(IMAGES, (0, 2, 1), CLASSIFIER, quality)
        assert extract_features(IMAGES, (2, 1, 0), CLASSIFIER, moved).key == node.key
        assert extract_features(IMAGES, (2, 1), CLASSIFIER, moved).key != node.key
        loose = quality.model_copy(update={"neighbours": 5, "grid": True})
        assert extract_features(IMAGES, (0, 1, 2), CLASSIFIER, loose).key == node.key


def test_other_weights_are_other_features(weights, monkeypatch) -> None:
    node = extract_features(IMAGES, (0,), CLASSIFIER, fid(weights))
    monkeypatch.setattr(features, "weights_digest", lambda _weights: "another")
    assert extract_features(IMAGES, (0,), CLASSIFIER, fid(weights)).key != node.key


def test_workers_are_told_where_the_weights_are_from_anywhere(weights, monkeypatch) -> None:
    folder, _, name = weights.rpartition("/")
    monkeypatch.chdir(folder)
    assert extract_features(IMAGES, (0,), CLASSIFIER, fid(name)).params["weights"] == weights


def test_settings_that_can_be_used_are_accepted(weights) -> None:
    for quality in (NONE, OWN, fid(weights)):
        check_quality(quality)


@pytest.mark.parametrize(
    ("quality", "message"),
    [
        (
            fid(None),
            snapshot("""\
quality.weights: the features of inception need its weights
  fix: name the file pt_inception-2015-12-05-6726825d.pth of pytorch-fid, or choose features resnet18\
"""),
        ),
        (
            fid("nowhere.pth"),
            snapshot("""\
quality.weights: {here}/nowhere.pth cannot be read: No such file or directory
  fix: name the file pt_inception-2015-12-05-6726825d.pth of pytorch-fid, or choose features resnet18\
"""),
        ),
        (
            OWN.model_copy(update={"weights": "some.pth"}),
            snapshot("""\
quality.weights: has no effect with features resnet18
  fix: leave quality.weights out, or set quality.features to inception\
"""),
        ),
        (
            NONE.model_copy(update={"weights": "some.pth"}),
            snapshot("""\
quality.weights: has no effect with features none
  fix: leave quality.weights out, or set quality.features to inception\
"""),
        ),
    ],
)
def test_weights_missing_unusable_or_unused_are_a_mistake(quality, message) -> None:
    with pytest.raises(InvalidConfig) as caught:
        check_quality(quality)
    assert masked(str(caught.value), here=Path.cwd()) == message
    assert caught.value.field == "quality.weights"
