from pathlib import Path

import numpy as np
import pytest

from analysis.figures import FIGURES
from tests.analysis.figures.small import bars, cases, points, words
from tests.analysis.sweeps import KILLED, layer_selection

draw = FIGURES["cost"].draw


def trial(ppc: int, la: float, seconds: float = 5.0) -> dict[str, object]:
    return {"ppc": ppc, "la": la, "seconds": seconds}


def line(axes, gid: str):  # type: ignore[no-untyped-def]
    return next(each for each in axes.lines if each.get_gid() == gid)


def test_points_carry_mean_and_deviation_and_the_axes_their_titles(tmp_path: Path) -> None:
    results = cases(tmp_path, {"a": [trial(100, 70), trial(100, 74)], "b": [trial(200, 80), trial(200, 80)]})
    (axes,) = draw(results).axes  # type: ignore[union-attr]
    first, second = (each for each in axes.lines if each.get_marker() in "os" and each.get_gid() is None)
    assert [*points(first), *points(second)] == [(100, 72), (200, 80)]
    assert bars(axes)[0] == [(pytest.approx(72 - np.sqrt(8)), pytest.approx(72 + np.sqrt(8)))]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("PPC", "LA %")


def test_the_front_joins_whole_rows_alone_and_bounds_are_lines_apart(tmp_path: Path) -> None:
    rows = {
        "real": [trial(0, 99)],
        "a": [trial(100, 70)],
        "b": [trial(200, 80)],
        "worse": [trial(300, 75)],
        "partial": [trial(50, 90), KILLED],
    }
    figure = draw(cases(tmp_path, rows, bounds=["real"]))
    assert figure
    (axes,) = figure.axes
    assert points(line(axes, "front")) == [(100, 70), (200, 80)]
    assert line(axes, "limit").get_ydata()[0] == 99
    drawn = {each.get_xydata()[0][0]: each for each in axes.lines if each.get_gid() is None}
    assert drawn[50].get_markerfacecolor() == "none"
    assert words(figure) == [
        "a",
        "b",
        "worse",
        "partial (n=1 of 2)",
        "Pareto front",
        "hollow: trials missing",
        "limit: real",
    ]


def test_there_is_a_panel_for_every_cost_that_rows_differ_in(tmp_path: Path) -> None:
    figure = draw(layer_selection(tmp_path))
    assert figure
    assert [axes.get_xlabel() for axes in figure.axes] == ["PPC", "seconds"]
    same = cases(tmp_path, {"a": [trial(100, 70)], "b": [trial(100, 80)]})
    assert draw(same) is None
