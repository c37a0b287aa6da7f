"""Find the figures that only the sweeps of one trainable have."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.figures import FIGURES, Drawing
from analysis.results import Results
from sweeper.errors import SweeperError
from sweeper.trainable.trainable import find_trainable


def own_figures(results: Results) -> Mapping[str, Drawing]:
    """Return the figures that the trainable of a sweep names, by name.

    Raises:
        SweeperError: where the trainable cannot be imported here, and for a figure that cannot be used.
    """
    found = find_trainable(results.described.trainable).own_figures()
    for name, drawing in found.items():
        if not isinstance(drawing, Drawing):
            raise SweeperError(
                f"figure '{name}' of the trainable is not a Drawing", fix="from analysis.figures import Drawing"
            )
        if name in FIGURES:
            raise SweeperError(
                f"figure '{name}' of the trainable has the name of a figure that every sweep has", fix="rename it"
            )
    return found
