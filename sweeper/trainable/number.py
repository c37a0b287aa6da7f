"""Descriptions of a run's numbers: facts computed from its config, metrics that it measures, and costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Number:
    """The description of a number that a trainable offers as a table column."""

    meaning: str
    better: Literal["higher", "lower"] | None = None
    """The better of two values; None if neither is, so that no row is marked as the best."""
    title: str | None = None
    """Head of a table's column; by default the name."""
    decimals: int = 2
    """Decimals of a printed mean."""
