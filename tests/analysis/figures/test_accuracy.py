from pathlib import Path

import numpy as np
import pytest

from analysis.figures import FIGURES
from tests.analysis.figures.small import bars, cases, points, solvers, words
from tests.analysis.searches import suggestion, write_search
from tests.analysis.sweeps import KILLED, write_sweep

draw = FIGURES["accuracy"].draw
GOOD = [{"accuracy": [99.0, 80.0, 70.0]}, {"accuracy": [97.0, 84.0, 71.0]}, {"accuracy": [98.0, 85.0, 75.0]}]


def test_points_carry_mean_and_deviation_over_seeds(tmp_path: Path) -> None:
    (axes,) = draw(cases(tmp_path, {"mul": GOOD})).axes  # type: ignore[union-attr]
    values = np.array([each["accuracy"] for each in GOOD])
    mean, std = values.mean(axis=0), values.std(axis=0, ddof=1)
    assert points(axes.lines[0]) == [(task + 1, pytest.approx(each)) for task, each in enumerate(mean)]
    assert bars(axes)[0] == [(pytest.approx(m - s), pytest.approx(m + s)) for m, s in zip(mean, std, strict=True)]


def test_a_row_that_lacks_a_trial_says_so_in_the_legend_and_one_without_any_is_not_drawn(tmp_path: Path) -> None:
    figure = draw(cases(tmp_path, {"mul": [*GOOD[:2], KILLED], "add": GOOD, "power": [KILLED] * 3}))
    assert figure
    assert words(figure) == ["mul (n=2 of 3)", "add"]


def test_bounds_are_grey(tmp_path: Path) -> None:
    figure = draw(cases(tmp_path, {"real": GOOD, "joint": GOOD, "mul": GOOD}, bounds=["real", "joint"]))
    assert figure
    real, joint, mul = (line for line in figure.axes[0].lines if len(points(line)) == 3)
    assert real.get_color() == joint.get_color() != mul.get_color()
    assert real.get_linestyle() != joint.get_linestyle()


def test_many_rows_of_two_names_have_a_panel_per_value_of_the_first(tmp_path: Path) -> None:
    rows = [
        {"adapter.layers": layers, "case": case, "seed": 0, **GOOD[0]}
        for layers in ("0-64", "40-54")
        for case in ("add", "mul", "cosine", "power", "rshift")
    ]
    figure = draw(write_sweep(tmp_path, rows, rows=["adapter.layers", "case"]))
    assert figure
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["adapter.layers 0-64", "adapter.layers 40-54"]
    assert words(figure) == ["add", "mul", "cosine", "power", "rshift"]
    assert figure.legends[0].get_title().get_text() == "case (n=1)"


def test_a_panel_names_its_rows_that_are_not_whole_as_the_legend_is_of_all(tmp_path: Path) -> None:
    figure = draw(solvers(tmp_path, without=[(2, 4, 1)], grid_points=(2, 3, 4)))
    assert figure
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["samples.chunks 1", "samples.chunks 2\n4 (n=1 of 2)", "samples.chunks 10"]
    assert words(figure) == ["2", "3", "4"]


def test_rows_that_are_no_grid_stand_in_one_panel_however_many_they_are(tmp_path: Path) -> None:
    made = [
        suggestion({"case": f"case {place}", "adapter.p": place}, {"aia": [80.0 + place], "accuracy": [[99.0, 80.0]]})
        for place in range(10)
    ]
    figure = draw(write_search(tmp_path, made, {"aia": "maximise"}))
    assert figure
    assert len(figure.axes) == 1
    assert words(figure)[:2] == ["case 9 · 9", "case 8 · 8"]


def test_a_plain_number_called_accuracy_is_no_series_over_tasks(tmp_path: Path) -> None:
    assert draw(cases(tmp_path, {"mul": [{"accuracy": 91.5}] * 3})) is None
