"""The numbers that a run ends with."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, TypeAlias

from sweeper import StageRun, stage

TaskStream: TypeAlias = tuple[tuple[int, ...], ...]

METRICS = "metrics.json"


def _reports(banks: Sequence[object], losses: Sequence[object], tasks: TaskStream, **_: object) -> list[str]:
    several = ["forgetting", "bwt"] if len(tasks) > 1 else []
    return ["la", "aia", *several, *(["nfe"] if banks else []), *(["fm_loss"] if losses else [])]


@stage(name="funlora.score", version=4, part="measures", reports=_reports)
def score(
    run: StageRun,
    classifiers: tuple[Path, ...],
    banks: tuple[Path, ...],
    losses: tuple[Path, ...],
    measures: tuple[Path, ...],
    tasks: TaskStream,
) -> None:
    """The numbers of the run; accuracies in percent.

    Args:
        classifiers: one per task.
        banks: all samples that classifiers were trained on.
        losses: held-out losses of the later tasks' classes.
        measures: artifacts that belong to the run: their ``metrics.json``, tables and pictures are taken over.
        tasks: the classes of every task.

    Writes ``metrics.json``: ``accuracy_matrix``, row i the accuracy after task i on the images of every task so far;
    ``held_out``, the number of held-out images of every task; ``accuracy``, on all classes seen after each task;
    ``la``, its last; ``aia``, its mean; `forgetting` and `backward_transfer` (``bwt``) where there are two tasks;
    ``nfe``, evaluations per image, and ``fm_loss``, means over banks and classes where there are any; and what the
    measures hold. Beside it the measures' tables, ``*.arrow``, and pictures.
    """
    hits = [json.loads((each / "hits.json").read_text()) for each in classifiers]
    metrics = _accuracies(hits, tasks)
    evaluations = [json.loads((each / "samples.json").read_text())["evaluations"] for each in banks]
    for name, values in (("nfe", evaluations), ("fm_loss", [_read(each / "loss.json") for each in losses])):
        if values:
            metrics[name] = sum(values) / len(values)
    for each in measures:
        metrics |= json.loads((each / METRICS).read_text()) if (each / METRICS).exists() else {}
        for beside in (*each.glob("*.arrow"), *each.glob("*.png")):
            shutil.copy(beside, run.output)
    (run.output / METRICS).write_text(json.dumps(metrics))


def _accuracies(hits: Sequence[Mapping[str, Sequence[int]]], tasks: TaskStream) -> dict[str, Any]:
    """What the classifiers' hits come to, by the names of `score`."""
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
    """How much of what was once known is lost (Chaudhry et al. 2018, "Riemannian Walk", equation 3).

    With a[i][j] the accuracy after task i on task j, and T the last task: the mean over j < T of
    max over i from j to T - 1 of a[i][j], minus a[T][j]. Negative where all tasks have gained.

    Args:
        matrix: row i the accuracies after task i on tasks 0 to i, of two tasks or more.
    """
    *earlier, last = matrix
    return fmean(max(row[j] for row in earlier[j:]) - last[j] for j in range(len(earlier)))


def backward_transfer(matrix: Sequence[Sequence[float]]) -> float:
    """What later tasks have done to earlier ones (Lopez-Paz and Ranzato 2017, "Gradient Episodic Memory").

    The mean over j < T of a[T][j] - a[j][j], in the terms of `forgetting`; negative where they are forgotten.
    """
    *earlier, last = matrix
    return fmean(last[j] - row[j] for j, row in enumerate(earlier))


def _read(path: Path) -> float:
    return float(json.loads(path.read_text()))


def _percent(hits: Mapping[str, Sequence[int]], classes: tuple[int, ...]) -> float:
    correct = sum(hits[str(label)][0] for label in classes)
    return 100 * correct / sum(hits[str(label)][1] for label in classes)
