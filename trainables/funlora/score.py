"""The numbers that a run ends with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TypeAlias

from sweeper.stage import StageRun, stage

TaskStream: TypeAlias = tuple[tuple[int, ...], ...]

METRICS = "metrics.json"


@stage(version=3, part="measures")
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
        measures: artifacts that belong to the run: their ``metrics.json`` and pictures are taken over.
        tasks: the classes of every task.

    Writes ``metrics.json``: ``accuracy_matrix``, row i the accuracy after task i on the images of every task so far;
    ``accuracy``, on all classes seen after each task; ``la``, its last; ``aia``, its mean; ``nfe``, evaluations per
    image, and ``fm_loss``, means over banks and classes where there are any; and what the measures hold. Beside it the
    measures' pictures.
    """
    hits = [json.loads((each / "hits.json").read_text()) for each in classifiers]
    matrix = [[_percent(seen, task) for task in tasks[: done + 1]] for done, seen in enumerate(hits)]
    accuracy = [_percent(seen, tuple(int(label) for label in seen)) for seen in hits]
    metrics = {
        "la": accuracy[-1],
        "aia": sum(accuracy) / len(accuracy),
        "accuracy": accuracy,
        "accuracy_matrix": matrix,
    }
    evaluations = [json.loads((each / "samples.json").read_text())["evaluations"] for each in banks]
    for name, values in (("nfe", evaluations), ("fm_loss", [_read(each / "loss.json") for each in losses])):
        if values:
            metrics[name] = sum(values) / len(values)
    for each in measures:
        metrics |= json.loads((each / METRICS).read_text()) if (each / METRICS).exists() else {}
        for picture in each.glob("*.png"):
            shutil.copy(picture, run.output)
    (run.output / METRICS).write_text(json.dumps(metrics))


def _read(path: Path) -> float:
    return float(json.loads(path.read_text()))


def _percent(hits: dict[str, list[int]], classes: tuple[int, ...]) -> float:
    correct = sum(hits[str(label)][0] for label in classes)
    return 100 * correct / sum(hits[str(label)][1] for label in classes)
