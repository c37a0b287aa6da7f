import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from trainables.common.metrics.accuracy import backward_transfer, forgetting
from trainables.common.metrics.score import score

TASKS = ((4, 1), (0, 3), (2,))
OF_ACCURACIES = {"la", "aia", "accuracy", "accuracy_matrix", "held_out", "forgetting", "bwt"}


def artifacts(start, name: str, file: str, contents: list[object]) -> tuple[Path, ...]:
    runs = [start(f"{name}{index}") for index in range(len(contents))]
    for run, content in zip(runs, contents, strict=True):
        if content is not None:
            (run.output / file).write_text(json.dumps(content))
    return tuple(run.output for run in runs)


@pytest.fixture
def told() -> list[dict[int, np.ndarray]]:
    """After every task, whether each image of each class seen so far was told right."""
    random = np.random.default_rng(0)
    return [
        {label: random.random(10 + 7 * label) < 0.3 + 0.1 * label for task in TASKS[: done + 1] for label in task}
        for done in range(3)
    ]


def hits_of(told: list[dict[int, np.ndarray]]) -> list[dict[str, list[int]]]:
    return [{str(label): [int(each.sum()), len(each)] for label, each in right.items()} for right in told]


@pytest.fixture
def scored(start, told):
    """The numbers of a run with these measures."""

    def _scored(measures: tuple = ()) -> dict[str, object]:
        run = start()
        evaluations = artifacts(start, "evaluation", "hits.json", hits_of(told))
        score.body(run, evaluations, artifacts(start, "measure", "metrics.json", list(measures)), TASKS)
        return json.loads((run.output / "metrics.json").read_text())

    return _scored


def test_accuracies_are_those_of_all_images_seen_so_far_counted_one_by_one(scored, told) -> None:
    metrics = scored()
    accuracy = [100 * np.concatenate(list(right.values())).mean() for right in told]
    assert metrics["accuracy"] == pytest.approx(accuracy)
    assert metrics["la"] == pytest.approx(accuracy[2])
    assert metrics["aia"] == pytest.approx(np.mean(accuracy))
    assert len(set(accuracy)) == 3


def test_the_matrix_holds_the_accuracy_on_each_task_after_each_task(scored, told) -> None:
    matrix = scored()["accuracy_matrix"]
    assert [len(row) for row in matrix] == [1, 2, 3]
    for row, right in zip(matrix, told, strict=True):
        by_task = [np.concatenate([right[label] for label in task]) for task in TASKS[: len(row)]]
        assert row == pytest.approx([100 * each.mean() for each in by_task])


def test_last_and_average_accuracy_and_forgetting_follow_from_the_matrix_alone(scored) -> None:
    metrics = scored()
    a = np.full((3, 3), np.nan)
    for done, row in enumerate(metrics["accuracy_matrix"]):
        a[done, : done + 1] = row
    images = np.array(metrics["held_out"])
    seen = np.nansum(a * images, axis=1) / np.cumsum(images)
    assert metrics["la"] == pytest.approx(seen[-1])
    assert metrics["aia"] == pytest.approx(seen.mean())
    assert metrics["forgetting"] == pytest.approx((np.nanmax(a[:-1, :-1], axis=0) - a[-1, :-1]).mean())
    assert metrics["bwt"] == pytest.approx((a[-1, :-1] - np.diag(a)[:-1]).mean())


def test_forgetting_and_backward_transfer_of_a_matrix_by_hand() -> None:
    matrix = [[90.0], [95.0, 60.0], [70.0, 65.0, 50.0]]
    assert forgetting(matrix) == ((95 - 70) + (60 - 65)) / 2
    assert backward_transfer(matrix) == ((70 - 90) + (65 - 60)) / 2


def test_a_run_without_measures_has_the_accuracies_alone(scored) -> None:
    assert scored().keys() == OF_ACCURACIES


def test_image_weighted_and_task_weighted_means_follow_from_the_counts_in_the_table(start, scored, told) -> None:
    metrics = scored()
    table = pa.ipc.open_file(start("counts").output.parent / "run" / "accuracy.arrow").read_all().to_pylist()
    assert [(row["after"], row["task"], row["classes"]) for row in table] == [
        (0, 0, 2),
        (1, 0, 2),
        (1, 1, 2),
        (2, 0, 2),
        (2, 1, 2),
        (2, 2, 1),
    ]
    for after, right in enumerate(told):
        rows = [row for row in table if row["after"] == after]
        correct, total = (sum(row[name] for row in rows) for name in ("correct", "total"))
        assert 100 * correct / total == pytest.approx(metrics["accuracy"][after])
        assert total == sum(map(len, right.values()))
        by_task = [np.concatenate([right[label] for label in task]).mean() for task in TASKS[: after + 1]]
        assert np.mean([row["correct"] / row["total"] for row in rows]) == pytest.approx(np.mean(by_task))


def test_what_measures_have_found_is_taken_over(scored) -> None:
    metrics = scored(measures=({"max_rank": 7}, {"fd": 0.5}))
    assert (metrics["max_rank"], metrics["fd"]) == (7, 0.5)
    assert metrics.keys() - OF_ACCURACIES == {"max_rank", "fd"}


def test_pictures_and_tables_of_measures_stand_beside_the_numbers(start, told) -> None:
    measure, run = start("grid"), start()
    for name in ("samples.png", "ranks.arrow"):
        (measure.output / name).write_text(name)
    score.body(run, artifacts(start, "evaluation", "hits.json", hits_of(told)), (measure.output,), TASKS)
    for name in ("samples.png", "ranks.arrow"):
        assert (run.output / name).read_text() == name


def test_a_measure_may_have_no_numbers(scored) -> None:
    assert scored(measures=(None, {"fd": 0.5}))["fd"] == 0.5
