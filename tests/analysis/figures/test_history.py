from pathlib import Path

import numpy as np

from analysis.figures import FIGURES
from tests.analysis.figures.small import points, words
from tests.analysis.searches import Made, pruned, suggestion, write_search
from tests.analysis.sweeps import layer_selection

draw = FIGURES["history"].draw


def of(aia: float, study: str = "") -> Made:
    return suggestion({"case": str(aia)}, {"aia": [aia]}, study=study)


def pruned_ones(axes) -> list[list[float]]:  # type: ignore[no-untyped-def]
    return [[x for x, _ in points(each)] for each in axes.lines if each.get_gid() == "pruned"]


def test_the_best_value_so_far_stands_at_every_suggestion_and_pruned_ones_are_ticked(tmp_path: Path) -> None:
    made = [pruned({"case": "x"}), of(60), of(50), pruned({"case": "y"}), of(70)]
    figure = draw(write_search(tmp_path, made, {"aia": "maximise"}))
    assert figure
    (axes,) = figure.axes
    np.testing.assert_array_equal(points(axes.lines[0]), [(0, np.nan), (1, 60), (2, 60), (3, 60), (4, 70)])
    assert pruned_ones(axes) == [[0, 3]]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("suggestion", "best AIA %")
    assert words(figure) == ["pruned suggestion"]


def test_of_several_objectives_it_is_the_hypervolume_with_a_line_per_study(tmp_path: Path) -> None:
    made = [
        suggestion({"case": f"{study}{aia}"}, {"aia": [aia], "ppc": [ppc]}, study=study)
        for study, aia, ppc in (("x", 50, 400), ("y", 60, 100), ("x", 90, 300))
    ]
    figure = draw(write_search(tmp_path, made, search={"reference": {"aia": 20, "ppc": 500}}))
    assert figure
    (axes,) = figure.axes
    found = [points(each) for each in axes.lines if each.get_gid() is None]
    assert found == [[(0, 30 * 100), (1, 70 * 200)], [(0, 40 * 400)]]
    assert axes.get_ylabel() == "hypervolume"
    assert words(figure) == ["x", "y"]


def test_there_is_none_of_what_is_no_search(tmp_path: Path) -> None:
    assert draw(layer_selection(tmp_path)) is None
