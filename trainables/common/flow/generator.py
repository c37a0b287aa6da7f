"""Generators as artifacts that describe themselves: whatever made them, they are loaded and sampled in one way.

An artifact is a part of a generator: a network that knows some classes, or an adapter that adds one class to a network.
It consists of ``generator.json``, a description, and ``generator.safetensors``. A generator is a network and the
adapters on it, `load_generator`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, TypeAdapter
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.func import functional_call

from trainables.common.flow.path import VectorField, Velocity
from trainables.common.nets.settings import Backbone
from trainables.common.nets.unet import UNet
from trainables.common.peft.methods import METHODS
from trainables.common.settings import Settings

DESCRIPTION = "generator.json"
WEIGHTS = "generator.safetensors"
EMBEDDING = "embedding"


class Network(Settings):
    """A U-Net; row i of its class embedding belongs to ``classes[i]``."""

    kind: Literal["unet"] = "unet"
    backbone: Backbone
    classes: tuple[int, ...]


class ClassAdapter(Settings):
    """One more class on a network: its adapter by a PEFT method, and its row of the embedding."""

    kind: Literal["adapter"] = "adapter"
    label: int
    method: str
    """One of `trainables.common.peft.methods.METHODS`."""
    settings: dict[str, Any]


@dataclass(frozen=True)
class LoadedAdapter:
    """An adapter's description, its parameters as ``layer/name``, and the class's embedding row (E,)."""

    about: ClassAdapter
    learned: dict[str, Tensor]
    embedding: Tensor

    @property
    def settings(self) -> Any:
        """The settings of its method."""
        return METHODS[self.about.method].settings.model_validate(self.about.settings)


@dataclass(frozen=True)
class Generator:
    """A frozen network, and the adapters of further classes on it."""

    net: UNet
    rows: Mapping[int, int]
    """Row of the network's embedding by label."""
    adapters: dict[int, LoadedAdapter] = field(default_factory=dict)
    """By label; a class that the network knows too is made by its adapter."""

    def velocity(self, label: int) -> Velocity:
        """Return v(x, t) of one class; its adapter is merged once. Raises ValueError for a class that is unknown."""
        if label in self.adapters:
            field, row = self._adapted(self.adapters[label]), 0
        elif label in self.rows:
            field, row = self.net, self.rows[label]
        else:
            raise ValueError(f"the generator does not know class {label}")
        return lambda x, t: field(x, t, torch.full((len(x),), row, device=x.device))

    def _adapted(self, adapter: LoadedAdapter) -> VectorField:
        weights = METHODS[adapter.about.method].merged(self.net, adapter.settings, adapter.learned)
        return class_field(self.net, weights, adapter.embedding)


def class_field(net: UNet, weights: Mapping[str, Tensor], embedding: Tensor) -> VectorField:
    """Return the vector field of one class: the network with merged weights and the class's embedding row.

    Args:
        net: the frozen network.
        weights: by their names in the network, from `trainables.common.peft.method.Method.merged`.
        embedding: (E,).

    Returns:
        v(x, t, y); y is ignored.
    """
    swapped = {**weights, "class_embedding.weight": embedding[None]}

    def field(x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        velocity: Tensor = functional_call(net, swapped, (x, t, torch.zeros_like(y)))
        return velocity

    return field


def save_network(directory: Path, about: Network, values: Mapping[str, Tensor]) -> None:
    """Write a network's parameters by name."""
    save_file(dict(values), directory / WEIGHTS)
    (directory / DESCRIPTION).write_text(about.model_dump_json())


def save_adapter(directory: Path, about: ClassAdapter, learned: Mapping[str, Tensor], embedding: Tensor) -> None:
    """Write an adapter's parameters as ``layer/name``, and the class's embedding row (E,)."""
    save_file({EMBEDDING: embedding, **learned}, directory / WEIGHTS)
    (directory / DESCRIPTION).write_text(about.model_dump_json())


def load_adapter(directory: Path, device: str) -> LoadedAdapter:
    """Read an adapter. Raises ValueError for an artifact that is something else."""
    about = _about(directory)
    if not isinstance(about, ClassAdapter):
        raise ValueError(f"{directory} holds a network and no adapter")
    values = load_file(directory / WEIGHTS, device=device)
    return LoadedAdapter(about, values, values.pop(EMBEDDING))


def load_generator(parts: Sequence[Path], device: str) -> Generator:
    """Read a generator, frozen and in evaluation mode.

    Args:
        parts: directories of artifacts: a network, and any number of adapters on it.
    """
    network, *adapters = parts
    loaded = [load_adapter(each, device) for each in adapters]
    about = _about(network)
    if not isinstance(about, Network):
        raise ValueError(f"{network} holds an adapter and no network")
    with torch.device("meta"):
        net = UNet(about.backbone, len(about.classes))
    net.load_state_dict(load_file(network / WEIGHTS, device=device), assign=True)
    rows = {label: row for row, label in enumerate(about.classes)}
    return Generator(net.eval().requires_grad_(False), rows, {each.about.label: each for each in loaded})


_Description: TypeAdapter[Network | ClassAdapter] = TypeAdapter(
    Annotated[Network | ClassAdapter, Field(discriminator="kind")]
)


def _about(directory: Path) -> Network | ClassAdapter:
    return _Description.validate_json((directory / DESCRIPTION).read_bytes())
