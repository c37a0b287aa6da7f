from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.figures import FIGURES
from analysis.figures.style import INK
from analysis.results import Results
from tests.analysis.figures.small import cases, points, words

draw = FIGURES["curves"].draw
ROWS = {"mul": [{"stages": ["base", "m0"]}, {"stages": ["base", "m1"]}], "add": [{"stages": ["base", "a0"]}]}


def write_curves(results: Results, curves: dict[str, tuple[str, dict[float, float]]]) -> None:
    stages = [{"key": key, "stage": stage} for key, (stage, _) in curves.items()]
    pq.write_table(pa.Table.from_pylist(stages), results.directory / "stages.parquet")
    rows = [
        {"key": key, "metric": "loss", "step": step, "value": value}
        for key, (_, curve) in curves.items()
        for step, value in curve.items()
    ]
    pq.write_table(pa.Table.from_pylist(rows), results.directory / "curves.parquet")


def test_a_line_is_the_mean_of_a_rows_stages_and_a_shared_stage_is_drawn_once(tmp_path: Path) -> None:
    results = cases(tmp_path, ROWS)
    write_curves(
        results,
        {
            "base": ("train_base", {10.0: 4.0, 20.0: 2.0}),
            "m0": ("train_adapter", {5.0: 3.0, 10.0: 1.0}),
            "m1": ("train_adapter", {5.0: 5.0, 10.0: 2.0}),
            "a0": ("train_adapter", {5.0: 9.0, 10.0: 8.0}),
        },
    )
    figure = draw(results)
    assert figure
    base, adapter = figure.axes
    assert [points(line) for line in base.lines] == [[(10, 4), (20, 2)]]
    assert [points(line) for line in adapter.lines] == [[(5, 4), (10, 1.5)], [(5, 9), (10, 8)]]
    assert (base.get_title(loc="left"), adapter.get_xlabel()) == ("train base", "step")
    assert words(figure) == ["mul", "add", "all rows"]


def test_curves_of_unequal_length_are_compared_at_equal_shares_of_their_steps(tmp_path: Path) -> None:
    results = cases(tmp_path, {"mul": ROWS["mul"]})
    write_curves(
        results,
        {
            "m0": ("train_adapter", {0.0: 0.0, 10.0: 10.0}),
            "m1": ("train_adapter", {0.0: 0.0, 50.0: 100.0, 100.0: 200.0}),
        },
    )
    (axes,) = draw(results).axes  # type: ignore[union-attr]
    drawn = np.array(points(axes.lines[0]))
    assert drawn[[0, 50, 100]].tolist() == [[0, 0], [50, pytest.approx(52.5)], [100, pytest.approx(105)]]
    assert axes.get_xlabel() == "share of the steps, %"


def test_a_sweep_without_curves_has_no_figure(tmp_path: Path) -> None:
    assert draw(cases(tmp_path, ROWS)) is None


def test_black_lines_are_no_pictures_as_they_take_a_dark_pages_colour(tmp_path: Path) -> None:
    results = cases(tmp_path, {f"case {index}": [{"stages": [f"key {index}"]}] for index in range(8)})
    write_curves(results, {f"key {index}": ("train", {1.0: 2.0, 2.0: 1.0}) for index in range(8)})
    (axes,) = draw(results).axes  # type: ignore[union-attr]
    assert [line.get_color() for line in axes.lines if not line.get_rasterized()] == [INK]
