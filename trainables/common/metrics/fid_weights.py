"""The weights file of the FID's network: what is in it, and whether it is still what the sweep was planned with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import torch

from sweeper import InvalidConfig, SweeperError
from trainables.common.nets.inception import Inception

FIELD = "quality.weights"
FIX = "name the file pt_inception-2015-12-05-6726825d.pth of pytorch-fid, or choose features resnet18"


@cache
def weights_digest(weights: str) -> str:
    """Return the SHA-256 of a weights file's content; the file is read once per process.

    Raises InvalidConfig unless the network can be loaded from it.
    """
    content = _read(weights)
    _network(weights, content)
    return hashlib.sha256(content).hexdigest()


def load_inception(weights: str, digest: str) -> Inception:
    """Load the network of a weights file, in evaluation mode.

    Raises InvalidConfig when it cannot be loaded, and SweeperError when the file's SHA-256 is no longer ``digest``.
    """
    content = _read(weights)
    if hashlib.sha256(content).hexdigest() != digest:
        raise SweeperError(f"{weights} is no longer the file that the sweep was planned with", fix="run it again")
    return _network(weights, content)


def _read(weights: str) -> bytes:
    try:
        return Path(weights).read_bytes()
    except OSError as error:
        raise InvalidConfig(FIELD, f"{weights} cannot be read: {error.strerror}", fix=FIX) from error


def _network(weights: str, content: bytes) -> Inception:
    try:
        state = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # of many types, whatever the file is instead
        raise InvalidConfig(FIELD, f"{weights} is not a file of tensors saved by PyTorch", fix=FIX) from error
    with torch.device("meta"):
        net = Inception()
    expected, found = _shapes(net.state_dict()), _shapes(state)
    if wrong := sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)):
        message = f"{wrong[0]} (of {len(wrong)}) is missing, unknown or of another shape"
        raise InvalidConfig(FIELD, f"{weights} does not hold the FID's Inception network: {message}", fix=FIX)
    net.to_empty(device="cpu").load_state_dict({name: state[name] for name in expected}, strict=False)
    return net.eval().requires_grad_(False)


def _shapes(state: Any) -> dict[str, tuple[int, ...]]:
    """Return shapes by name; batch normalisation's counters, which files of that time lack, are left out."""
    named = state.items() if isinstance(state, Mapping) else ()
    return {
        str(name): tuple(getattr(value, "shape", ()))
        for name, value in named
        if not str(name).endswith("num_batches_tracked")
    }
