"""The last stage of class-incremental runs: their numbers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from sweeper import StageRun, stage
from trainables.common.classifier.evaluation import Hits, read_hits
from trainables.common.metrics.accuracy import accuracies
from trainables.common.tasks import TaskStream

METRICS = "metrics.json"


def _reports(tasks: TaskStream, **_: object) -> list[str]:
    return ["la", "aia", *(["forgetting", "bwt"] if len(tasks) > 1 else [])]


@stage(name="common.score", version=1, part="measures", reports=_reports)
def score(run: StageRun, evaluations: tuple[Path, ...], measures: tuple[Path, ...], tasks: TaskStream) -> None:
    """Gather the numbers of the run; accuracies in percent.

    Args:
        evaluations: of the classifier after every task, artifacts of `trainables.common.classifier.evaluation`.
        measures: artifacts that belong to the run: their ``metrics.json``, tables and pictures are taken over.
        tasks: the classes of every task.

    Writes ``metrics.json``, the numbers of `accuracies` and those of the measures; ``accuracy.arrow``, the counts
    behind the accuracies, from which other means can be derived; the measures' tables, ``*.arrow``, and pictures.
    """
    hits = [read_hits(each) for each in evaluations]
    metrics = accuracies(hits, tasks)
    for each in measures:
        metrics |= json.loads((each / METRICS).read_text()) if (each / METRICS).exists() else {}
        for beside in (*each.glob("*.arrow"), *each.glob("*.png")):
            shutil.copy(beside, run.output)
    (run.output / METRICS).write_text(json.dumps(metrics))
    _write_counts(run.output / "accuracy.arrow", hits, tasks)


def _write_counts(path: Path, hits: Sequence[Hits], tasks: TaskStream) -> None:
    """Write a row per task that was learned last, ``after``, and task that was tested, both from 0."""
    rows = []
    for after, seen in enumerate(hits):
        for task, labels in enumerate(tasks[: after + 1]):
            correct, total = (sum(counts) for counts in zip(*(seen[str(label)] for label in labels), strict=True))
            rows.append({"after": after, "task": task, "classes": len(labels), "correct": correct, "total": total})
    names = ("after", "task", "classes", "correct", "total")
    table = pa.Table.from_pylist(rows, pa.schema([(name, pa.int64()) for name in names]))
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
