"""Every value that can be swept, with its type, range, unit and default by preset."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from trainables.settings import Backbone, ClassifierTraining, FlowTraining, Settings, Solver


def _layer_range(text: str) -> str:
    if text == "none":
        return text
    match = re.fullmatch(r"(\d+)-(\d+)", text)
    if not match:
        raise PydanticCustomError("layers", "expected a range of layer indices such as 40-54, or none")
    if int(match[1]) > int(match[2]):
        turned = {"first": match[2], "last": match[1]}
        raise PydanticCustomError("layers", "the range is reversed: write {first}-{last}", turned)
    return f"{int(match[1])}-{int(match[2])}"


LayerRange = Annotated[str, AfterValidator(_layer_range)]


DATA_SETS = {"digits": (10, 1, 8), "cifar100": (100, 3, 32)}
"""Classes, channels and side of the images of each data set."""


class Data(Settings):
    """The images."""

    name: Literal["digits", "cifar100"] = Field(description="data set")
    classes: int = Field(description="number of classes", ge=2)
    held_out: Literal["test", "validation"] = Field(
        description="images that accuracies are measured on; hyperparameters are chosen on validation, "
        "a part of the training images that is then not trained on"
    )


class Tasks(Settings):
    """How the classes arrive."""

    first: int = Field(description="classes in the first task", ge=1)
    later: int = Field(description="classes in every later task", ge=1)


class AdapterTraining(FlowTraining):
    """The adapter of one class on the frozen base."""

    layers: LayerRange = Field(description="adapted Conv2d layers, by index in registration order: 40-54, or none")
    train_embedding: bool = Field(
        description="whether a new class's embedding row is trained; else it stays the mean of the first task's rows"
    )


class Samples(Settings):
    """Synthetic images per class, made in chunks: more chunks contain the first ones."""

    chunk: int = Field(description="images per chunk and class", ge=1)
    chunks: int = Field(description="chunks per class", ge=1)


class Config(Settings):
    """One class-incremental run."""

    seed: int = Field(description="seed of every random stream of the run", ge=0)
    class_order_seed: int | None = Field(description="seed of the order of classes; none keeps the data set's", ge=0)
    data: Data
    tasks: Tasks
    backbone: Backbone
    base: FlowTraining
    adapter: AdapterTraining
    solver: Solver
    samples: Samples
    classifier: ClassifierTraining

    @model_validator(mode="after")
    def _matches_data_set(self) -> Self:
        given = (self.data.classes, self.backbone.image_channels, self.backbone.image_side)
        if given != DATA_SETS[self.data.name]:
            classes, channels, side = DATA_SETS[self.data.name]
            raise PydanticCustomError(
                "data",
                "{name} has {classes} classes and {channels} x {side} x {side} pixels",
                {"name": self.data.name, "classes": classes, "channels": channels, "side": side, "field": "data",
                 "fix": "set data.classes, backbone.image_channels and backbone.image_side to these"},
            )  # fmt: skip
        return self

    @model_validator(mode="after")
    def _tasks_cover_classes(self) -> Self:
        later = self.data.classes - self.tasks.first
        if later < 0 or later % self.tasks.later:
            raise PydanticCustomError(
                "tasks",
                "tasks: {first} classes and then {later} at a time do not add up to the data set's {classes}",
                {
                    "first": self.tasks.first,
                    "later": self.tasks.later,
                    "classes": self.data.classes,
                    "field": "tasks",
                    "fix": "change tasks.first or tasks.later",
                },
            )
        return self


DIGITS = Config(
    seed=0,
    class_order_seed=None,
    data=Data(name="digits", classes=10, held_out="test"),
    tasks=Tasks(first=2, later=2),
    backbone=Backbone(
        image_channels=1, image_side=8, channels=16, channel_mult=(1, 2, 2, 2), res_blocks=2,
        attention_resolutions=(4,), head_channels=16, norm_groups=4, dropout=0.0,
    ),
    base=FlowTraining(iterations=600, batch=64, lr=2e-3, warmup=100, ema=0.99, ema_from=180),
    adapter=AdapterTraining(
        layers="40-54", train_embedding=False, iterations=60, batch=8, lr=1e-1, warmup=1, ema=0.95, ema_from=20
    ),
    solver=Solver(method="midpoint", grid_points=4, rtol=1e-5, atol=1e-5),
    samples=Samples(chunk=100, chunks=1),
    classifier=ClassifierTraining(
        width=8, epochs=12, batch=50, lr=0.05, momentum=0.9, weight_decay=5e-4, crop=1, flip=False
    ),
)  # fmt: skip
"""The embedded handwritten digits: the 65-layer network of the paper at an eighth of its width, 2-2-2-2-2.
Rates were chosen on validation images, see benchmarks/README.md."""

CIFAR_STEPS_PER_EPOCH = 79
"""Batches of 128 in the 10,000 images of a task of 20 classes."""

CIFAR100 = Config(
    seed=0,
    class_order_seed=None,
    data=Data(name="cifar100", classes=100, held_out="test"),
    tasks=Tasks(first=20, later=20),
    backbone=Backbone(
        image_channels=3, image_side=32, channels=128, channel_mult=(1, 2, 2, 2), res_blocks=2,
        attention_resolutions=(16,), head_channels=64, norm_groups=32, dropout=0.0,
    ),
    base=FlowTraining(
        iterations=500 * CIFAR_STEPS_PER_EPOCH, batch=128, lr=2e-4, warmup=1000, ema=0.9999,
        ema_from=200 * CIFAR_STEPS_PER_EPOCH,
    ),
    adapter=AdapterTraining(
        layers="40-54", train_embedding=False, iterations=300 * CIFAR_STEPS_PER_EPOCH, batch=6, lr=1e-3, warmup=1,
        ema=0.9999, ema_from=100 * CIFAR_STEPS_PER_EPOCH,
    ),
    solver=Solver(method="dopri5", grid_points=6, rtol=1e-5, atol=1e-5),
    samples=Samples(chunk=500, chunks=1),
    classifier=ClassifierTraining(
        width=64, epochs=30, batch=100, lr=0.1, momentum=0.9, weight_decay=5e-4, crop=4, flip=True
    ),
)  # fmt: skip
"""CIFAR-100 in tasks of 20 by the paper's protocol: epochs, batches, warm-up, start of the moving average, network,
solver. The paper's text at hand does not give learning rates, decays, weight decay and dropout: these are this
project's. A batch of 128 over 20 classes is 6.4 images of each; an adapter's own stage takes 6."""

METRICS = {
    "la": "last accuracy: on the held-out images of all classes after the last task, %",
    "aia": "average incremental accuracy: mean over tasks of the accuracy on all classes seen so far, %",
    "nfe": "evaluations of the vector field per image, mean over the banks of samples",
}

PRESETS = {"digits": DIGITS, "cifar100": CIFAR100}
