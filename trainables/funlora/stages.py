"""Train FunLoRA's adapters: one per class, on the frozen network of the first task's classes."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from sweeper import StageRun, stage
from trainables.common.data.images import images_of
from trainables.common.flow.generator import ClassAdapter, class_field, load_generator, save_adapter
from trainables.common.flow.training import TRAINING_WORK, fit_flow
from trainables.common.peft.methods import METHODS
from trainables.common.seeds import stream_seed
from trainables.funlora.adapters import method_settings, new_adapter
from trainables.funlora.settings import Adapter


@stage(
    name="funlora.train_adapter",
    version=3,
    gpus=0.25,
    part="training",
    work=lambda adapter, **_: TRAINING_WORK * adapter.iterations * adapter.batch,
)
def train_adapter(run: StageRun, images: Path, base: Path, adapter: Adapter, label: int, seed: int) -> None:
    """Train the adapter of one class on its real images alone; the base stays as it is.

    A batch holds one class, so every layer runs once with one merged weight.

    Args:
        images: directory with ``train.arrow``.
        base: a network, see `trainables.common.flow.generator`.

    Writes the moving averages of what was learned, and the class's embedding row, as an adapter of the network.
    """
    torch.manual_seed(stream_seed(seed, "adapter", label))
    pixels, row = (part.to(run.device) for part in images_of([images / "train.arrow"], [label]))
    net = load_generator([base], run.device).net
    learned, embedding = new_adapter(net, adapter), net.class_embedding.weight.mean(0)
    values = {**learned, "embedding": embedding} if adapter.train_embedding else learned
    for value in values.values():
        value.requires_grad_(True)
    method, settings = METHODS[adapter.method], method_settings(adapter)

    def field(x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        return class_field(net, method.merged(net, settings, learned), embedding)(x, t, y)

    average = fit_flow(run, field, pixels, row, values, adapter) if values else {}
    row_of_class = average.pop("embedding", embedding.detach())
    about = ClassAdapter(label=label, method=adapter.method, settings=settings.model_dump(mode="json"))
    save_adapter(run.output, about, average, row_of_class)
