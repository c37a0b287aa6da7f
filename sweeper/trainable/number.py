"""What a number of a run means: a fact counted from its config, a metric it measures, or what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Number:
    """A column that a trainable offers to tables."""

    meaning: str
    better: Literal["higher", "lower"] | None = None
    """Which of two values is the better one; None where neither is, so that no row is called the best."""
    title: str | None = None
    """At the head of a table's column; None for the name itself."""
    decimals: int = 2
    """Printed of a mean."""
