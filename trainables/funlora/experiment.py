"""The experiment, top to bottom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sweeper import Stage
from trainables.common.classifier.evaluation import evaluate
from trainables.common.classifier.training import train_classifier
from trainables.common.data.image_sets import check_data, image_stage
from trainables.common.flow.sampling import flow_means, held_out_loss, sample_class
from trainables.common.flow.training import train_flow
from trainables.common.metrics.features import check_quality, extract_features
from trainables.common.metrics.grid import sample_grid
from trainables.common.metrics.quality import compare_features
from trainables.common.metrics.score import score
from trainables.common.nets.unet import network_size
from trainables.common.tasks import TaskStream, task_stream
from trainables.funlora.adapters import adapter_size
from trainables.funlora.config import Config
from trainables.funlora.inspection import layer_importance, learned_functions, matrix_ranks
from trainables.funlora.stages import train_adapter

BYTES_PER_PARAMETER = 4
GRID_COLUMNS = 8
"""Images of a class and model in the picture of samples."""


@dataclass(frozen=True)
class ClassModel:
    """The generator of one class: a network that knows it, or a network and the class's adapter."""

    label: int
    base: Stage
    adapter: Stage | None = None

    @property
    def generator(self) -> list[Stage]:
        """Parts of the generator, see `trainables.common.flow.generator`."""
        return [self.base, self.adapter] if self.adapter else [self.base]


def run(config: Config) -> Stage:
    """Build one class-incremental run; its last stage holds the numbers. See `sweeper.Trainable`.

    The base is frozen after the first task and an adapter belongs to one class, so adapters and samples of
    different classes depend on nothing of each other.
    """
    return steps(config)[-1]


def steps(config: Config) -> tuple[Stage, ...]:
    """Build the numbers of the run as it stands after every task, as if it ended there; the last one is `run`."""
    images = image_stage(config.data, config.backbone.image_channels, config.backbone.image_side)
    tasks = task_stream(config.data.classes, config.tasks, config.class_order_seed)
    models = _models(config, images, tasks)
    banks = {label: list(_bank(config, model)) for label, model in models.items()}
    losses = {
        label: held_out_loss(images, model.generator, label) for label, model in models.items() if label not in tasks[0]
    }
    evaluations: list[Stage] = []
    scores = []
    for task, _ in enumerate(tasks):
        seen = tuple(label for earlier in tasks[: task + 1] for label in earlier)
        training = [chunk for label in seen for chunk in banks[label]] if task and banks else [images]
        classifier = train_classifier(training, seen, config.classifier, task, config.seed)
        evaluations.append(evaluate(classifier, images))
        if task < len(tasks) - 1:
            means = _means(training if task and banks else [], [losses[label] for label in seen if label in losses])
            scores.append(score(evaluations, means, tasks[: task + 1]))
    chunks = [chunk for bank in banks.values() for chunk in bank]
    means = _means(chunks, list(losses.values()))
    measures = [*means, *_inspections(config, models), *_quality(config, images, tasks, banks)]
    return (*scores, score(evaluations, measures, tasks))


def _means(banks: Sequence[Stage], losses: Sequence[Stage]) -> list[Stage]:
    """Average evaluations and losses, if there are any."""
    return [flow_means(list(banks), list(losses))] if banks or losses else []


def _models(config: Config, images: Stage, tasks: TaskStream) -> dict[int, ClassModel]:
    if config.generator == "incremental":
        return _incremental(config, images, tasks)
    return _multitask(config, images) if config.generator == "multitask" else {}


def _incremental(config: Config, images: Stage, tasks: TaskStream) -> dict[int, ClassModel]:
    """Train the base on the first task's classes, and an adapter on it for every later class."""
    base = train_flow([images], config.backbone, tasks[0], config.base, config.seed)
    models = {label: ClassModel(label, base) for label in tasks[0]}
    for label in (label for task in tasks[1:] for label in task):
        models[label] = ClassModel(label, base, train_adapter(images, base, config.adapter, label, config.seed))
    return models


def _multitask(config: Config, images: Stage) -> dict[int, ClassModel]:
    """Train one network on all classes together."""
    labels = tuple(range(config.data.classes))
    base = train_flow([images], config.backbone, labels, config.base, config.seed)
    return {label: ClassModel(label, base) for label in labels}


def _bank(config: Config, model: ClassModel) -> Iterator[Stage]:
    """Sample a class, chunk by chunk."""
    samples, seed = config.samples, config.seed
    for chunk in range(samples.chunks):
        yield sample_class(model.generator, config.solver, model.label, samples.chunk, samples.batch, chunk, seed)


def _inspections(config: Config, models: dict[int, ClassModel]) -> Iterator[Stage]:
    """Inspect what low-rank adapters have learned."""
    adapters = [model.adapter for model in models.values() if model.adapter]
    if not adapters or config.adapter.method != "low_rank" or config.adapter.layers == "none":
        return
    yield matrix_ranks(adapters, config.backbone)
    if config.adapter.operation == "mul":
        yield layer_importance(adapters, config.backbone)
    if config.adapter.functions != "none":
        yield learned_functions(adapters, config.backbone)


def _quality(config: Config, images: Stage, tasks: TaskStream, banks: Mapping[int, list[Stage]]) -> Iterator[Stage]:
    """Compare samples with the real training images, and draw them beside those of a multi-task model."""
    quality, labels = config.quality, range(config.data.classes)
    if quality.features != "none":
        order = tuple(label for task in tasks for label in task)
        of_real = train_classifier([images], order, config.classifier, len(tasks) - 1, config.seed)
        real = extract_features(images, labels, of_real, quality)
        made = extract_features([chunk for label in labels for chunk in banks[label]], labels, of_real, quality)
        name = "fid" if quality.features == "inception" else "fd"
        yield compare_features(real, made, quality.neighbours, name)
    if quality.grid:
        multitask = _multitask(config, images)
        first = [next(_bank(config, multitask[label])) for label in labels]
        yield sample_grid([banks[label][0] for label in labels], first, GRID_COLUMNS)


def facts(config: Config) -> dict[str, float]:
    """Count parameters before anything runs: ``ppc``, parameters per class, embedding rows counted with the
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
    """Check that the data set and the weights of measures are here. Raises InvalidConfig."""
    check_data(config.data, config.backbone.image_channels, config.backbone.image_side)
    check_quality(config.quality)
