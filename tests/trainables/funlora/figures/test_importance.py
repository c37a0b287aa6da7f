from pathlib import Path

import numpy as np
import pytest

from tests.analysis.figures.small import cases, points, words, write_measure
from tests.analysis.sweeps import layer_selection
from trainables.funlora.figures import FIGURES

draw = FIGURES["importance"].draw


def test_a_point_is_the_mean_over_classes_and_the_band_their_deviation_both_averaged(tmp_path: Path) -> None:
    results = cases(tmp_path, {"mul": [{"la": 1.0}, {"la": 2.0}]})
    values = {0: {2: 0.1, 3: 0.3, 4: 0.2}, 1: {2: 0.5, 3: 0.5, 4: 0.8}}
    write_measure(
        results,
        "importance",
        [
            {
                "trial": f"mul · seed {seed}",
                "layer": layer,
                "name": f"block.{layer}",
                "label": label,
                "importance": value + layer,
            }
            for layer in (7, 3)
            for seed, classes in values.items()
            for label, value in classes.items()
        ],
    )
    (axes,) = draw(results).axes  # type: ignore[union-attr]
    mean = np.mean([np.mean(list(each.values())) for each in values.values()])
    std = np.mean([np.std(list(each.values()), ddof=1) for each in values.values()])
    assert points(axes.lines[0]) == [(3, pytest.approx(3 + mean)), (7, pytest.approx(7 + mean))]
    at_seven = axes.collections[0].get_paths()[0].vertices
    at_seven = at_seven[at_seven[:, 0] == 7][:, 1]
    assert (at_seven.min(), at_seven.max()) == (pytest.approx(7 + mean - std), pytest.approx(7 + mean + std))


def test_of_many_rows_the_one_with_the_most_layers_is_shown(tmp_path: Path) -> None:
    figure = draw(layer_selection(tmp_path))
    assert figure
    assert words(figure) == ["0-64"]
    assert figure.legends[0].get_title().get_text() == "adapter.layers: the most layers of 4 rows"
    assert [x for x, _ in points(figure.axes[0].lines[0])] == list(range(0, 65, 3))


def test_a_sweep_that_has_not_measured_it_has_no_figure(tmp_path: Path) -> None:
    assert draw(cases(tmp_path, {"mul": [{"la": 1.0}]})) is None
