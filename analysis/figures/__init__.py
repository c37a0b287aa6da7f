"""The figures of an ablation, from a sweep's results. Reads Parquet alone, as tables do.

``FIGURES[name].draw(results)`` gives a figure, one paper column wide, or None; `save` writes it, `svg` gives it to
a page.
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
    """What is shown, and what exactly is averaged over what."""
    absent: str
    """Why a sweep has none, as the end of a sentence."""
    plain: Callable[[Results], Figure | None]
    """Draws in the style at hand."""

    def lacking(self, results: Results) -> str:
        """Why this sweep has none, as the end of a sentence."""
        return NOTHING if results.search and not results.search.chosen else self.absent

    def draw(self, results: Results) -> Figure | None:
        """The figure of a sweep; None where it has nothing for it. Raises NoTable where a file cannot be read."""
        with styled():
            return self.plain(results)


FIGURES: Mapping[str, Drawing] = {
    "samples": Drawing(
        "Samples",
        "Images sampled by the first finished trial of every row that has any; nothing is averaged.",
        "no trial has pictures",
        samples.draw,
    ),
    "accuracy": Drawing(
        "Accuracy after every task",
        "Accuracy on the held-out images of all classes seen so far, after every task: mean and standard deviation "
        "over the finished trials of the row; points of a task stand beside one another.",
        "no trial has measured it",
        accuracy.draw,
    ),
    "matrix": Drawing(
        "Accuracy matrix",
        "Accuracy after every task (down) on the held-out images of every task so far (across): mean over the finished "
        "trials of the row; of more than four rows the best whole one and the baseline.",
        "no trial has measured it",
        matrix.draw,
    ),
    "cost": Drawing(
        "Accuracy against cost",
        "The table's first metric against parameters per class and seconds: mean and standard deviation over the "
        "finished trials of the row; the line joins the whole rows that no other beats, hollow points lack trials.",
        "no metric with a better direction is measured in rows that differ in parameters or seconds, beside what the "
        "front of a search shows",
        cost.draw,
    ),
    "heatmap": Drawing(
        "Metrics over the table's two names",
        "Mean over the finished trials of the row, the lighter the better; a cell whose trials are not all finished "
        "says how many are, one without any is hatched.",
        "it needs a grid of two row names with a column that is measured",
        heatmap.draw,
    ),
    "curves": Drawing(
        "Learning curves",
        "Mean over classes, tasks and seeds of the curves of every stage function, a line per row, or per row in the "
        "colour of its first name; stages that rows share are drawn once.",
        "no finished trial has logged any",
        curves.draw,
    ),
    "front": Drawing(
        "Pareto front of the search",
        "The first objective against every other one: means over the seeds of all finished suggestions; ringed those "
        "that no other beats, of two objectives joined; the cross is the point that the hypervolume is measured from.",
        "it is no search for several objectives",
        front.draw,
    ),
    "history": Drawing(
        "History of the search",
        "The best value so far, or the hypervolume of all that has finished so far, after every suggestion, in the "
        "order in which they were asked for; nothing is averaged over studies.",
        "it is no search",
        history.draw,
    ),
    "search_importances": Drawing(
        "Importance of the searched names",
        "Share of an objective's variance over the finished suggestions that each searched name explains, by fANOVA.",
        "no search can tell them",
        search_importances.draw,
    ),
}
"""Kinds of figures by name, an ablation's and then a search's. Trainables may name others of their own."""
