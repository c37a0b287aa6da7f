"""Every value that can be swept, with its type, range, unit and default by preset."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from trainables.common.classifier.settings import ClassifierTraining
from trainables.common.config import ContinualConfig
from trainables.common.data.settings import Data
from trainables.common.flow.settings import FlowTraining, Samples, Solver
from trainables.common.metrics.settings import Quality
from trainables.common.nets.settings import Backbone
from trainables.common.tasks import Tasks
from trainables.funlora.settings import Adapter


class Config(ContinualConfig):
    """One class-incremental run of a generative classifier."""

    generator: Literal["incremental", "multitask", "real"] = Field(
        description="what the classifiers of later tasks are trained on: samples of the base and adapters, samples of "
        "one network trained on all classes together (an upper bound), or the real images (an upper bound)"
    )
    backbone: Backbone
    base: FlowTraining
    adapter: Adapter
    solver: Solver
    samples: Samples
    classifier: ClassifierTraining
    quality: Quality

    @model_validator(mode="after")
    def _quality_needs_samples(self) -> Self:
        if self.generator == "real" and (self.quality.features != "none" or self.quality.grid):
            context = {"field": "quality", "fix": "set quality.features to none and quality.grid to false"}
            raise PydanticCustomError("quality", "quality: the generator 'real' makes no samples", context)
        return self


DIGITS = Config(
    seed=0,
    class_order_seed=None,
    generator="incremental",
    data=Data(
        source="digits",
        revision=None,
        image_column="image",
        label_column="label",
        train_split="train",
        test_split="test",
        class_list=None,
        classes=10,
        held_out="test",
    ),
    tasks=Tasks(first=2, later=2),
    backbone=Backbone(
        image_channels=1,
        image_side=8,
        channels=16,
        channel_mult=(1, 2, 2, 2),
        res_blocks=2,
        attention_resolutions=(4,),
        head_channels=16,
        norm_groups=4,
        dropout=0.0,
    ),
    base=FlowTraining(iterations=600, batch=64, lr=2e-3, warmup=100, ema=0.99, ema_from=180),
    adapter=Adapter(
        method="low_rank",
        layers="40-54",
        functions="cosine_learned",
        p=10,
        operation="mul",
        ratio=1,
        rank=1,
        raised="none",
        train_embedding=False,
        iterations=60,
        batch=8,
        lr=3e-2,
        warmup=1,
        ema=0.95,
        ema_from=20,
    ),
    solver=Solver(method="midpoint", grid_points=4, rtol=1e-5, atol=1e-5),
    samples=Samples(chunk=100, chunks=1, batch=100),
    classifier=ClassifierTraining(
        width=8, epochs=12, batch=50, lr=0.05, momentum=0.9, weight_decay=5e-4, crop=1, flip=False
    ),
    quality=Quality(features="none", weights=None, neighbours=3, grid=False),
)
"""The embedded handwritten digits: the 65-layer network of the paper at an eighth of its width, 2-2-2-2-2.
Rates were chosen on validation images, see benchmarks/README.md."""


def _papers(
    *,
    data: Data,
    tasks: Tasks,
    backbone: Backbone,
    layers: str,
    task_images: int,
    base_epochs: tuple[int, int],
    adapter_epochs: tuple[int, int],
    chunk: int,
) -> Config:
    """Return the paper's protocol: epochs, and the epoch from which to average, as steps of 128 images of a task.

    A class is a stage of its own. It takes as many steps as its task would and its share of every batch, so that
    summed over the classes of a task the same images are seen as often.
    """
    epoch = -(-task_images // BATCH)
    return Config(
        seed=0,
        class_order_seed=None,
        generator="incremental",
        data=data,
        tasks=tasks,
        backbone=backbone,
        base=FlowTraining(
            iterations=base_epochs[0] * epoch,
            batch=BATCH,
            lr=2e-4,
            warmup=1000,
            ema=0.9999,
            ema_from=base_epochs[1] * epoch,
        ),
        adapter=Adapter(
            method="low_rank",
            layers=layers,
            functions="cosine_learned",
            p=10,
            operation="mul",
            ratio=1,
            rank=1,
            raised="none",
            train_embedding=False,
            iterations=adapter_epochs[0] * epoch,
            batch=round(BATCH / tasks.later),
            lr=1e-3,
            warmup=1,
            ema=0.9999,
            ema_from=adapter_epochs[1] * epoch,
        ),
        solver=Solver(method="dopri5", grid_points=6, rtol=1e-5, atol=1e-5),
        samples=Samples(chunk=chunk, chunks=1, batch=500),
        classifier=ClassifierTraining(
            width=64, epochs=30, batch=100, lr=0.1, momentum=0.9, weight_decay=5e-4, crop=4, flip=True
        ),
        quality=Quality(features="none", weights=None, neighbours=3, grid=False),
    )


BATCH = 128
_CIFAR_NET = Backbone(
    image_channels=3,
    image_side=32,
    channels=128,
    channel_mult=(1, 2, 2, 2),
    res_blocks=2,
    attention_resolutions=(16,),
    head_channels=64,
    norm_groups=32,
    dropout=0.0,
)
_CIFAR100_DATA = Data(
    source="uoft-cs/cifar100",
    revision=None,
    image_column="img",
    label_column="fine_label",
    train_split="train",
    test_split="test",
    class_list=None,
    classes=100,
    held_out="test",
)

CIFAR10 = _papers(
    data=Data(
        source="uoft-cs/cifar10",
        revision=None,
        image_column="img",
        label_column="label",
        train_split="train",
        test_split="test",
        class_list=None,
        classes=10,
        held_out="test",
    ),
    tasks=Tasks(first=2, later=2),
    backbone=_CIFAR_NET,
    layers="40-54",
    task_images=10_000,
    base_epochs=(500, 200),
    adapter_epochs=(300, 100),
    chunk=5000,
)
"""CIFAR-10, 2-2."""

CIFAR100 = _papers(
    data=_CIFAR100_DATA,
    tasks=Tasks(first=20, later=20),
    backbone=_CIFAR_NET,
    layers="40-54",
    task_images=10_000,
    base_epochs=(500, 200),
    adapter_epochs=(300, 100),
    chunk=500,
)
"""CIFAR-100, 20-20."""

CIFAR100_10 = _papers(
    data=_CIFAR100_DATA,
    tasks=Tasks(first=10, later=10),
    backbone=_CIFAR_NET,
    layers="40-54",
    task_images=5_000,
    base_epochs=(500, 200),
    adapter_epochs=(300, 100),
    chunk=500,
)
"""CIFAR-100, 10-10."""

IMAGENET100 = _papers(
    data=Data(
        source="ILSVRC/imagenet-1k",
        revision=None,
        image_column="image",
        label_column="label",
        train_split="train",
        test_split="validation",
        class_list=None,
        classes=100,
        held_out="test",
    ),
    tasks=Tasks(first=20, later=20),
    backbone=Backbone(
        image_channels=3,
        image_side=64,
        channels=128,
        channel_mult=(1, 2, 3, 4),
        res_blocks=2,
        attention_resolutions=(32, 16, 8),
        head_channels=64,
        norm_groups=32,
        dropout=0.0,
    ),
    layers="40-56",
    task_images=26_000,
    base_epochs=(250, 100),
    adapter_epochs=(200, 100),
    chunk=1300,
)
"""ImageNet100, 20-20, 64 x 64: most of its classes have 1,300 images. data.class_list names the classes."""

PRESETS = {
    "digits": DIGITS,
    "cifar10": CIFAR10,
    "cifar100": CIFAR100,
    "cifar100_10": CIFAR100_10,
    "imagenet100": IMAGENET100,
}
