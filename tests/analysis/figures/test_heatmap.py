from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from analysis.figures import FIGURES
from tests.analysis.figures.small import solvers
from tests.analysis.sweeps import layer_selection

draw = FIGURES["heatmap"].draw


def hatched(axes: Axes) -> list[tuple[float, float]]:
    return [
        (each.get_x() + 0.5, each.get_y() + 0.5)
        for each in axes.patches
        if isinstance(each, Rectangle) and each.get_hatch()
    ]


def written(axes: Axes) -> dict[tuple[float, float], str]:
    return {text.get_position(): text.get_text() for text in axes.texts}


def test_every_cell_is_the_mean_with_its_number_written_in_it(tmp_path: Path) -> None:
    aia, seconds = draw(solvers(tmp_path)).axes  # type: ignore[union-attr]
    assert aia.images[0].get_array().tolist() == [[53.5, 55.5], [54.5, 56.5], [62.5, 64.5]]
    assert seconds.images[0].get_array().tolist() == [[20.5, 40.5], [40.5, 80.5], [200.5, 400.5]]
    assert written(aia)[1, 2] == "64.50"
    assert written(seconds)[1, 2] == "400.5"
    assert [axes.get_title(loc="left") for axes in (aia, seconds)] == ["AIA %", "seconds"]
    assert not hatched(aia)


def test_a_missing_cell_is_drawn_as_missing(tmp_path: Path) -> None:
    axes = draw(solvers(tmp_path, without=[(2, 4, 0), (2, 4, 1), (10, 2, 1)])).axes[0]  # type: ignore[union-attr]
    cells = np.ma.filled(axes.images[0].get_array(), np.nan)
    assert np.isnan(cells[1, 1])
    assert np.isfinite(cells).sum() == 5
    assert hatched(axes) == [(1, 1)]
    assert written(axes)[1, 1] == "missing"
    assert written(axes)[0, 2] == "62.00\n1 of 2"


def test_a_table_of_one_row_name_has_none(tmp_path: Path) -> None:
    assert draw(layer_selection(tmp_path)) is None
