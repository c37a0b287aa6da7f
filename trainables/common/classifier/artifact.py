"""Classifiers as artifacts that describe themselves: ``classifier.json`` and ``classifier.safetensors``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from safetensors.torch import load_file, save_file

from trainables.common.nets.resnet import ResNet18
from trainables.common.settings import Settings

DESCRIPTION = "classifier.json"
WEIGHTS = "classifier.safetensors"


class Description(Settings):
    """A ResNet18; logit i belongs to ``classes[i]``."""

    kind: Literal["resnet18"] = "resnet18"
    image_channels: int
    width: int
    classes: tuple[int, ...]

    def build(self) -> ResNet18:
        """Return the network, untrained."""
        return ResNet18(self.image_channels, self.width, len(self.classes))


@dataclass(frozen=True)
class Classifier:
    """A trained network and the labels that its logits stand for."""

    net: ResNet18
    classes: tuple[int, ...]


def save_classifier(directory: Path, about: Description, net: ResNet18) -> None:
    """Write a classifier."""
    save_file(net.state_dict(), directory / WEIGHTS)
    (directory / DESCRIPTION).write_text(about.model_dump_json())


def load_classifier(directory: Path, device: str) -> Classifier:
    """Read a classifier, frozen and in evaluation mode."""
    about = Description.model_validate_json((directory / DESCRIPTION).read_bytes())
    with torch.device("meta"):
        net = about.build()
    net.load_state_dict(load_file(directory / WEIGHTS, device=device), assign=True)
    return Classifier(net.eval().requires_grad_(False), about.classes)
