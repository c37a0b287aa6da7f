"""Figures 3 to 5 of the paper: what the adapters have learned."""

from __future__ import annotations

from analysis.figures import Drawing
from trainables.funlora.figures import importance, ponderations, ranks

FIGURES = {
    "importance": Drawing(
        "Importance of every layer",
        "Importance of every adapted layer: mean and standard deviation over the classes of a trial, both averaged "
        "over the trials of the row; of more than three rows only the first with the most layers.",
        "no trial has measured it",
        importance.draw,
    ),
    "ranks": Drawing(
        "Rank of F",
        "Numerical rank of the functional matrix F of every adapted layer: mean over the classes of a trial, averaged "
        "over the trials of the row; on the right the largest over layers, classes and trials.",
        "no trial has measured them",
        ranks.draw,
    ),
    "ponderations": Drawing(
        "Ponderations and frequencies",
        "Ponderation λ and frequency ω of every function, a line per layer: mean over classes and the trials of the "
        "row; the dashed line shows the initial values.",
        "no trial has measured them",
        ponderations.draw,
    ),
}
