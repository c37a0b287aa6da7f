"""The numbers that a run ends with."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from sweeper import StageRun, stage
from trainables.common.metrics.accuracy import accuracies
from trainables.common.tasks import TaskStream

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
    ``la``, its last; ``aia``, its mean; ``forgetting`` and ``bwt`` where there are two tasks, see `accuracies`;
    ``nfe``, evaluations per image, and ``fm_loss``, means over banks and classes where there are any; and what the
    measures hold. Beside it the measures' tables, ``*.arrow``, and pictures.
    """
    hits = [json.loads((each / "hits.json").read_text()) for each in classifiers]
    metrics = accuracies(hits, tasks)
    evaluations = [json.loads((each / "samples.json").read_text())["evaluations"] for each in banks]
    for name, values in (("nfe", evaluations), ("fm_loss", [_read(each / "loss.json") for each in losses])):
        if values:
            metrics[name] = sum(values) / len(values)
    for each in measures:
        metrics |= json.loads((each / METRICS).read_text()) if (each / METRICS).exists() else {}
        for beside in (*each.glob("*.arrow"), *each.glob("*.png")):
            shutil.copy(beside, run.output)
    (run.output / METRICS).write_text(json.dumps(metrics))


def _read(path: Path) -> float:
    return float(json.loads(path.read_text()))
