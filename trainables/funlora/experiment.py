"""The experiment, top to bottom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sweeper import Stage
from trainables.common.classify import train_classifier
from trainables.common.data.image_sets import check_data, image_stage
from trainables.common.metrics.features import check_quality, extract_features
from trainables.common.metrics.grid import sample_grid
from trainables.common.metrics.quality import compare_features
from trainables.common.nets.unet import network_size
from trainables.common.tasks import TaskStream, task_stream
from trainables.funlora.adapters import adapter_size
from trainables.funlora.config import Config
from trainables.funlora.inspection import layer_importance, learned_functions, matrix_ranks
from trainables.funlora.score import score
from trainables.funlora.stages import held_out_loss, sample_class, train_adapter, train_base

BYTES_PER_PARAMETER = 4
GRID_COLUMNS = 8
"""Images of a class and model in the picture of samples."""


@dataclass(frozen=True)
class ClassModel:
    """What samples a class: a network with the class's row of its embedding, or with the class's adapter."""

    label: int
    base: Stage
    adapter: Stage | None
    row: int | None


def run(config: Config) -> Stage:
    """One class-incremental run; its last stage holds the numbers. See `sweeper.trainable.trainable`.

    The base is frozen after the first task and an adapter belongs to one class, so adapters and samples of
    different classes depend on nothing of each other.
    """
    return steps(config)[-1]


def steps(config: Config) -> tuple[Stage, ...]:
    """The numbers of the run as it stands after every task, as if it ended there; the last one is `run`."""
    images = image_stage(config.data, config.backbone.image_channels, config.backbone.image_side)
    tasks = task_stream(config.data.classes, config.tasks, config.class_order_seed)
    models = _models(config, images, tasks)
    banks = {label: list(_bank(config, model)) for label, model in models.items()}
    losses = {
        label: held_out_loss(images, model.base, model.adapter, config.backbone, model.label, model.row)
        for label, model in models.items()
        if label not in tasks[0]
    }
    classifiers: list[Stage] = []
    scores = []
    for task, _ in enumerate(tasks):
        seen = tuple(label for earlier in tasks[: task + 1] for label in earlier)
        training = [chunk for label in seen for chunk in banks[label]] if task and banks else [images]
        classifiers.append(train_classifier(training, images, seen, config.classifier, task, config.seed))
        if task < len(tasks) - 1:
            chunks = training if task and banks else []
            lost = [losses[label] for label in seen if label in losses]
            scores.append(score(classifiers, chunks, lost, [], tasks[: task + 1]))
    chunks = [chunk for bank in banks.values() for chunk in bank]
    measures = [*_inspections(config, models), *_quality(config, images, tasks, banks)]
    return (*scores, score(classifiers, chunks, list(losses.values()), measures, tasks))


def _models(config: Config, images: Stage, tasks: TaskStream) -> dict[int, ClassModel]:
    if config.generator == "incremental":
        return _incremental(config, images, tasks)
    return _multitask(config, images) if config.generator == "multitask" else {}


def _incremental(config: Config, images: Stage, tasks: TaskStream) -> dict[int, ClassModel]:
    """The base of the first task's classes, and an adapter on it for every later class."""
    base = train_base(images, config.backbone, tasks[0], config.base, config.seed)
    models = {label: ClassModel(label, base, None, row) for row, label in enumerate(tasks[0])}
    for label in (label for task in tasks[1:] for label in task):
        adapter = train_adapter(images, base, config.backbone, config.adapter, label, config.seed)
        models[label] = ClassModel(label, base, adapter, None)
    return models


def _multitask(config: Config, images: Stage) -> dict[int, ClassModel]:
    """One network trained on all classes together."""
    labels = tuple(range(config.data.classes))
    base = train_base(images, config.backbone, labels, config.base, config.seed)
    return {label: ClassModel(label, base, None, label) for label in labels}


def _bank(config: Config, model: ClassModel) -> Iterator[Stage]:
    """The chunks of a class's samples."""
    for chunk in range(config.samples.chunks):
        yield sample_class(
            model.base,
            model.adapter,
            config.backbone,
            config.solver,
            model.label,
            model.row,
            config.samples.chunk,
            config.samples.batch,
            chunk,
            config.seed,
        )


def _inspections(config: Config, models: dict[int, ClassModel]) -> Iterator[Stage]:
    """What low-rank adapters have learned."""
    learned = {label: model.adapter for label, model in models.items() if model.adapter}
    if not learned or config.adapter.method != "low_rank" or config.adapter.layers == "none":
        return
    adapters, labels = list(learned.values()), list(learned)
    yield matrix_ranks(adapters, labels, config.backbone)
    if config.adapter.operation == "mul":
        yield layer_importance(adapters, labels, config.backbone)
    if config.adapter.functions != "none":
        yield learned_functions(adapters, labels, config.backbone)


def _quality(config: Config, images: Stage, tasks: TaskStream, banks: Mapping[int, list[Stage]]) -> Iterator[Stage]:
    """How far the samples are from the real training images, and a picture of them beside a multi-task model's."""
    quality, labels = config.quality, range(config.data.classes)
    if quality.features != "none":
        order = tuple(label for task in tasks for label in task)
        of_real = train_classifier([images], images, order, config.classifier, len(tasks) - 1, config.seed)
        real = extract_features(images, labels, of_real, quality)
        made = extract_features([chunk for label in labels for chunk in banks[label]], labels, of_real, quality)
        name = "fid" if quality.features == "inception" else "fd"
        yield compare_features(real, made, quality.neighbours, name)
    if quality.grid:
        multitask = _multitask(config, images)
        first = [next(_bank(config, multitask[label])) for label in labels]
        yield sample_grid([banks[label][0] for label in labels], first, GRID_COLUMNS)


def facts(config: Config) -> dict[str, float]:
    """Counted from the network before anything runs: ``ppc``, parameters per class, embedding rows counted with the
    backbone; ``parameters``, the paper's P#: the backbone with a row for every class, and an adapter for every class
    after the first task and one more; ``image_equivalents``, how many images take as many bytes as an adapter.

    Raises InvalidConfig for layers that the network does not have.
    """
    size = adapter_size(config.backbone, config.data.classes, config.adapter)
    ppc = size if config.generator == "incremental" else 0
    adapters = config.data.classes - config.tasks.first + 1
    image = config.backbone.image_channels * config.backbone.image_side**2
    backbone = network_size(config.backbone, config.data.classes) if config.generator != "real" else 0
    return {
        "ppc": ppc,
        "parameters": backbone + adapters * ppc,
        "image_equivalents": round(ppc * BYTES_PER_PARAMETER / image),
    }


def check(config: Config) -> None:
    """Raises InvalidConfig when the run cannot be made here: the data set or the weights of a measure."""
    check_data(config.data, config.backbone.image_channels, config.backbone.image_side)
    check_quality(config.quality)
