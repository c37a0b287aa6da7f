"""The figures of ablations and searches, from a sweep's results in Parquet.

``FIGURES[name].draw(results)`` returns a figure, one paper column wide, or None; `save` writes it to a file, `svg`
renders it for a page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from matplotlib.figure import Figure

from analysis.figures import (
    accuracy,
    cost,
    curves,
    front,
    heatmap,
    history,
    matrix,
    samples,
    search_importances,
)
from analysis.figures.files import save, styled, svg
from analysis.findings import NOTHING
from analysis.results import Results

__all__ = ["FIGURES", "Drawing", "save", "svg"]


@dataclass(frozen=True)
class Drawing:
    """A kind of figure."""

    title: str
    caption: str
    """Describes what is shown, and exactly what is averaged over what."""
    absent: str
    """The reason why a sweep does not have it, as the end of a sentence."""
    plain: Callable[[Results], Figure | None]
    """Draws in the current style."""

    def lacking(self, results: Results) -> str:
        """Return the reason why this sweep does not have it, as the end of a sentence."""
        return NOTHING if results.search and not results.search.chosen else self.absent

    def draw(self, results: Results) -> Figure | None:
        """Draw the figure of a sweep; return None if it lacks the data. Raises NoTable if a file cannot be read."""
        with styled():
            return self.plain(results)


FIGURES: Mapping[str, Drawing] = {
    "samples": Drawing(
        "Samples",
        "Images sampled by the first finished trial with pictures of every row; nothing is averaged.",
        "no trial has pictures",
        samples.draw,
    ),
    "accuracy": Drawing(
        "Accuracy after every task",
        "Accuracy on the held-out images of all classes seen so far, after every task: mean and standard deviation "
        "over the finished trials of the row; points of the same task are drawn side by side.",
        "no trial has measured it",
        accuracy.draw,
    ),
    "matrix": Drawing(
        "Accuracy matrix",
        "Accuracy after every task (down) on the held-out images of every task so far (across): mean over the finished "
        "trials of the row; of more than four rows only the best complete one and the baseline.",
        "no trial has measured it",
        matrix.draw,
    ),
    "cost": Drawing(
        "Accuracy against cost",
        "The table's first metric against parameters per class and seconds: mean and standard deviation over the "
        "finished trials of the row; the line is the Pareto front of complete rows, hollow points lack trials.",
        "no metric with a better direction is measured in rows that differ in parameters or seconds, except the "
        "objectives of a search",
        cost.draw,
    ),
    "heatmap": Drawing(
        "Metrics over the table's two names",
        "Mean over the finished trials of the row; lighter is better. A cell with unfinished trials shows how many are "
        "finished; a cell without any is hatched.",
        "it needs a table with two row names and a measured column",
        heatmap.draw,
    ),
    "curves": Drawing(
        "Learning curves",
        "Mean over classes, tasks and seeds of the curves of every stage function, a line per row; with many rows the "
        "colour is that of the first name. Stages that rows share are drawn once.",
        "no finished trial has logged any",
        curves.draw,
    ),
    "front": Drawing(
        "Pareto front of the search",
        "The first objective against every other one: means over the seeds of all finished suggestions. The Pareto "
        "front is ringed, and joined if there are two objectives; the cross is the reference point of the hypervolume.",
        "the sweep is not a search with several objectives",
        front.draw,
    ),
    "history": Drawing(
        "History of the search",
        "The best value, or the hypervolume of all finished suggestions, after every suggestion in order; studies are "
        "not averaged.",
        "the sweep is not a search",
        history.draw,
    ),
    "search_importances": Drawing(
        "Importance of the searched names",
        "Share of an objective's variance over the finished suggestions that each searched name explains, by fANOVA.",
        "no importance is known",
        search_importances.draw,
    ),
}
"""Kinds of figures by name: those of ablations, then those of searches. Trainables may name others of their own."""
