import json

import pytest
import torch
from safetensors.torch import load_file

from tests.trainables.noise_images import write_data
from trainables.common.classifier.artifact import Description, load_classifier, save_classifier
from trainables.common.classifier.evaluation import count_hits, evaluate, read_hits
from trainables.common.classifier.settings import ClassifierTraining
from trainables.common.classifier.training import train_classifier
from trainables.common.data.images import read_images, to_unit
from trainables.common.nets.resnet import ResNet18

SHORT = ClassifierTraining(width=16, epochs=1, batch=8, lr=0.05, momentum=0.9, weight_decay=5e-4, crop=1, flip=True)
LONGER = SHORT.model_copy(update={"width": 8, "batch": 20, "epochs": 6, "crop": 0, "flip": False})


def bars(label: int, count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Dim noise with a bright row whose place tells the label."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(60, (count, 1, 8, 8), generator=generator, dtype=torch.uint8)
    images[:, :, label % 8] = 255
    return images, torch.full((count,), label)


@pytest.fixture
def banks(tmp_path):
    """Banks of samples: two chunks of class 7, one of class 3, one of class 5."""
    chunks = enumerate([(7, 20), (7, 20), (3, 40), (5, 40)])
    return tuple(write_data(tmp_path / f"bank{seed}", *bars(label, n, seed)) for seed, (label, n) in chunks)


@pytest.fixture
def held_out(tmp_path):
    parts = [bars(label, count, 50 + label) for label, count in ((3, 12), (5, 8), (7, 10), (6, 9))]
    return write_data(tmp_path / "held", *(torch.cat(part) for part in zip(*parts, strict=True)))


def test_a_class_that_can_be_told_is_told_whatever_its_place_in_the_task(start, banks, held_out) -> None:
    trained, tested = start("trained"), start("tested")
    train_classifier.body(trained, banks, (7, 3, 5), LONGER, 1, 0)
    evaluate.body(tested, trained.output, held_out)
    assert read_hits(tested.output) == {"7": (10, 10), "3": (12, 12), "5": (8, 8)}


def test_hits_are_the_saved_classifiers_own_on_the_held_out_images_of_its_classes(start, images) -> None:
    trained, tested = start("trained"), start("tested")
    train_classifier.body(trained, (images,), (2, 0, 1), SHORT, 0, 0)
    evaluate.body(tested, trained.output, images)
    net = ResNet18(1, SHORT.width, 3)
    net.load_state_dict(load_file(trained.output / "classifier.safetensors"))
    expected = {"2": [0, 0], "0": [0, 0], "1": [0, 0]}
    for image, label in zip(*read_images(images / "held_out.arrow"), strict=True):
        if int(label) in (0, 1, 2):
            told = (2, 0, 1)[int(net.eval()(to_unit(image[None])).argmax())]
            expected[str(int(label))][0] += told == int(label)
            expected[str(int(label))][1] += 1
    assert json.loads((tested.output / "hits.json").read_text()) == expected


def test_a_saved_classifier_comes_back_with_its_sizes_and_labels_and_ready_for_use(tmp_path) -> None:
    net = ResNet18(3, 2, 4)
    net(torch.randn(5, 3, 8, 8))  # its running statistics are its own
    save_classifier(tmp_path, Description(image_channels=3, width=2, classes=(5, 1, 9, 0)), net)
    loaded = load_classifier(tmp_path, "cpu")
    images = torch.randn(3, 3, 8, 8)
    assert torch.equal(loaded.net(images), net.eval()(images))
    assert loaded.classes == (5, 1, 9, 0)


def test_images_of_classes_not_yet_seen_change_nothing(start, tmp_path, banks) -> None:
    others = write_data(tmp_path / "others", *bars(1, 30, 9))
    results = []
    for name, training in (("without", banks[:3]), ("with", (*banks, others))):
        run = start(name)
        train_classifier.body(run, training, (3, 7), SHORT, 1, 0)
        results.append((run.output / "classifier.safetensors").read_bytes())
    assert results[0] == results[1]


def test_a_resumed_classifier_ends_with_the_same_bytes(start, killed_and_continued, banks) -> None:
    arguments = (banks, (3, 5, 7), SHORT, 1, 0)
    undisturbed = start("undisturbed")
    train_classifier.body(undisturbed, *arguments)
    continued = killed_and_continued(lambda run: train_classifier.body(run, *arguments))
    for name in ("classifier.safetensors", "classifier.json"):
        assert (continued.output / name).read_bytes() == (undisturbed.output / name).read_bytes()


def test_an_epoch_is_as_many_steps_as_batches_hold_the_images(start, banks) -> None:
    run, twice = start(), SHORT.model_copy(update={"batch": 33, "epochs": 2})
    train_classifier.body(run, banks[:3], (3, 7), twice, 1, 0)
    assert run.logged[-1][:2] == (2 * 3, 2 * 3)  # 80 images


def test_seeds_and_tasks_start_from_weights_of_their_own(start, banks) -> None:
    ends = set()
    for task, seed in ((1, 0), (2, 0), (1, 1), (1, 0)):
        run = start(f"{task}-{seed}-{len(ends)}")
        train_classifier.body(run, banks[:3], (3, 7), SHORT, task, seed)
        ends.add((run.output / "classifier.safetensors").read_bytes())
    assert len(ends) == 3


def test_hits_are_counted_over_more_images_than_fit_a_chunk() -> None:
    torch.manual_seed(0)
    net = ResNet18(1, 2, 3)
    images, labels = torch.randint(256, (1203, 1, 8, 8), dtype=torch.uint8), torch.randint(3, (1203,))
    hits = count_hits(net, images, labels, 3)
    told = [int(net.eval()(to_unit(image[None])).argmax()) for image in images[990:1203]]
    expected = count_hits(net, images[990:], labels[990:], 3)
    for label in range(3):
        pairs = [(mine, int(truth)) for mine, truth in zip(told, labels[990:], strict=True) if truth == label]
        assert expected[label] == (sum(mine == truth for mine, truth in pairs), len(pairs))
    before = count_hits(net, images[:990], labels[:990], 3)
    assert hits == [(a + c, b + d) for (a, b), (c, d) in zip(before, expected, strict=True)]
