"""Fixed stratified splits of labelled images."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

SPLIT_SEED = 0
TEST_SHARE = 0.25
VALIDATION_SHARE = 0.2

Indices = NDArray[np.intp]


def stratified(labels: NDArray[np.integer], share: float) -> tuple[Indices, Indices]:
    """Return indices kept and held out, each ascending; every class gives ``share`` of its images to the second."""
    from sklearn.model_selection import train_test_split

    kept, held = train_test_split(np.arange(len(labels)), test_size=share, stratify=labels, random_state=SPLIT_SEED)
    return np.sort(kept), np.sort(held)


def smallest_class(share: float) -> int:
    """Return how many images a class needs, so that one of them at least is held out, whatever other classes have."""
    return math.ceil(1 / share)
