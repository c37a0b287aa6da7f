"""An adapter of the tiny network."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from trainables.common.flow.generator import ClassAdapter, save_adapter
from trainables.common.peft.methods import METHODS
from trainables.funlora.adapters import method_settings
from trainables.funlora.settings import Adapter


def settings(**values: object) -> Adapter:
    """A rank-1 vanilla adapter of all layers of the tiny network, but for ``values``; checked."""
    plain = {
        "method": "low_rank",
        "layers": "0-24",
        "functions": "none",
        "p": 3,
        "operation": "mul",
        "ratio": 1,
        "rank": 1,
        "raised": "none",
        "train_embedding": False,
        "iterations": 8,
        "batch": 4,
        "lr": 1e-2,
        "warmup": 2,
        "ema": 0.5,
        "ema_from": 3,
    }
    return Adapter(**{**plain, **values})


def merged(net: nn.Module, adapter: Adapter, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights and biases of the adapted layers."""
    return METHODS[adapter.method].merged(net, method_settings(adapter), values)


def write_adapter(
    directory: Path, adapter: Adapter, label: int, values: Mapping[str, Tensor], embedding: Tensor
) -> Path:
    """The artifact of an adapter with these values."""
    directory.mkdir()
    settings = method_settings(adapter).model_dump(mode="json")
    save_adapter(directory, ClassAdapter(label=label, method=adapter.method, settings=settings), values, embedding)
    return directory
