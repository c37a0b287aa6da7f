"""Accuracies of class-incremental runs, and what later tasks do to earlier ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from sweeper import Number
from trainables.common.tasks import TaskStream

ACCURACIES = {
    "la": Number("last accuracy: on the held-out images of all classes after the last task, %", "higher", "LA %"),
    "aia": Number(
        "average incremental accuracy: mean over tasks of the accuracy on all classes seen so far, %",
        "higher",
        "AIA %",
    ),
    "forgetting": Number(
        "mean over all tasks but the last of the best accuracy on the task before the last one, less that after the "
        "last one, in points (Chaudhry et al. 2018)",
        "lower",
        "forgetting",
    ),
    "bwt": Number(
        "backward transfer: mean over all tasks but the last of the accuracy on the task after the last one, less that "
        "just after the task itself, in points (Lopez-Paz and Ranzato 2017)",
        "higher",
        "BWT",
    ),
}
"""The numbers that tables may have as columns."""


def accuracies(hits: Sequence[Mapping[str, Sequence[int]]], tasks: TaskStream) -> dict[str, Any]:
    """Return the numbers of a class-incremental run by name; accuracies in percent.

    Args:
        hits: after every task, correct and total held-out images of every class seen so far, by its label.
        tasks: the classes of every task.

    Returns:
        ``accuracy_matrix``, row i the accuracy after task i on the images of every task so far; ``held_out``, the
        number of held-out images of every task; ``accuracy``, on all classes seen after each task; ``la``, its last;
        ``aia``, its mean; `forgetting` and `backward_transfer` (``bwt``) where there are two tasks.
    """
    matrix = [[_percent(seen, task) for task in tasks[: done + 1]] for done, seen in enumerate(hits)]
    accuracy = [_percent(seen, tuple(int(label) for label in seen)) for seen in hits]
    metrics = {
        "la": accuracy[-1],
        "aia": sum(accuracy) / len(accuracy),
        "accuracy": accuracy,
        "accuracy_matrix": matrix,
        "held_out": [sum(hits[-1][str(label)][1] for label in task) for task in tasks],
    }
    if len(tasks) > 1:
        metrics |= {"forgetting": forgetting(matrix), "bwt": backward_transfer(matrix)}
    return metrics


def forgetting(matrix: Sequence[Sequence[float]]) -> float:
    """Return how much accuracy on earlier tasks is lost (Chaudhry et al. 2018, "Riemannian Walk", equation 3).

    With a[i][j] the accuracy after task i on task j, and T the last task: the mean over j < T of
    max over i from j to T - 1 of a[i][j], minus a[T][j]. Negative where all tasks have gained.

    Args:
        matrix: row i the accuracies after task i on tasks 0 to i, of two tasks or more.
    """
    *earlier, last = matrix
    return fmean(max(row[j] for row in earlier[j:]) - last[j] for j in range(len(earlier)))


def backward_transfer(matrix: Sequence[Sequence[float]]) -> float:
    """Return how later tasks have changed the accuracy on earlier ones.

    The mean over j < T of a[T][j] - a[j][j], in the terms of `forgetting`; negative where they are forgotten
    (Lopez-Paz and Ranzato 2017, "Gradient Episodic Memory").
    """
    *earlier, last = matrix
    return fmean(last[j] - row[j] for j, row in enumerate(earlier))


def _percent(hits: Mapping[str, Sequence[int]], classes: tuple[int, ...]) -> float:
    correct = sum(hits[str(label)][0] for label in classes)
    return 100 * correct / sum(hits[str(label)][1] for label in classes)
