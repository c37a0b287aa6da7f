from pathlib import Path

import pytest

from analysis.figures import FIGURES
from tests.analysis.figures.small import words
from tests.analysis.searches import digits, pruned, suggestion, write_search

draw = FIGURES["search_importances"].draw


def test_bars_are_a_panel_per_objective_in_the_order_of_the_first(tmp_path: Path) -> None:
    figure = draw(digits(tmp_path))
    assert figure
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["AIA %", "PPC"]
    names = ["adapter.layers", "adapter.lr", "case"]
    for axes, expected in zip(figure.axes, ([0.61, 0.24, 0.15], [1 / 3] * 3), strict=True):
        assert [label.get_text() for label in axes.get_yticklabels()] == names
        assert [bar.get_width() for bar in axes.patches] == pytest.approx(expected)
        assert axes.yaxis_inverted()


def test_several_studies_have_bars_beside_one_another(tmp_path: Path) -> None:
    figure = draw(digits(tmp_path, ("mul", "add")))
    assert figure
    places = [[bar.get_y() for bar in container] for container in figure.axes[0].containers]  # type: ignore[attr-defined]
    assert all(first < second for first, second in zip(*places, strict=True))
    assert words(figure) == ["mul", "add"]


def test_where_nothing_can_be_told_there_is_none(tmp_path: Path) -> None:
    made = [suggestion({"case": "a"}, {"aia": [1.0], "ppc": [1]}), pruned({"case": "b"})]
    assert draw(write_search(tmp_path, made)) is None
