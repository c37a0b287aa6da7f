"""The experiment, top to bottom."""

from __future__ import annotations

from sweeper.stage import Stage
from trainables.cifar import check_cifar100, cifar100
from trainables.classify import train_classifier
from trainables.digits import digits
from trainables.funlora.config import Config
from trainables.funlora.rank_one import chosen_layers, rank_one
from trainables.funlora.stages import sample_class, score, train_adapter, train_base
from trainables.funlora.tasks import task_stream
from trainables.unet import skeleton


def run(config: Config) -> Stage:
    """One class-incremental run; its last stage holds the numbers. See `sweeper.trainable`.

    The base is frozen after the first task and an adapter belongs to one class, so adapters and samples of
    different classes depend on nothing of each other.
    """
    tasks = task_stream(config.data.classes, config.tasks, config.class_order_seed)
    images = {"digits": digits, "cifar100": cifar100}[config.data.name](config.data.held_out)
    base = train_base(images, config.backbone, tasks[0], config.base, config.seed)
    banks = {}
    for label in (label for task in tasks for label in task):
        row = tasks[0].index(label) if label in tasks[0] else None
        adapter = None
        if row is None:
            adapter = train_adapter(images, base, config.backbone, config.adapter, label, config.seed)
        banks[label] = [
            sample_class(
                base, adapter, config.backbone, config.solver, label, row, config.samples.chunk, chunk, config.seed
            )
            for chunk in range(config.samples.chunks)
        ]
    classifiers = []
    for task, _ in enumerate(tasks):
        seen = tuple(label for earlier in tasks[: task + 1] for label in earlier)
        training = [bank for label in seen for bank in banks[label]] if task else [images]
        classifiers.append(train_classifier(training, images, seen, config.classifier, task, config.seed))
    return score(classifiers, [bank for chunks in banks.values() for bank in chunks], tasks)


def facts(config: Config) -> dict[str, float]:
    """``ppc``: parameters per class, counted from the network. Embedding rows count with the backbone.

    Raises InvalidConfig for layers that the network does not have.
    """
    net = skeleton(config.backbone, config.tasks.first)
    adapter = rank_one(net, chosen_layers(net, config.adapter.layers))
    return {"ppc": sum(value.numel() for value in adapter.values())}


def check(config: Config) -> None:
    """Raises InvalidConfig when the data set is not on this machine."""
    if config.data.name == "cifar100":
        check_cifar100()
