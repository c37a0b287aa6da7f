from pathlib import Path

import pytest

from tests.analysis.figures.small import cases, points, write_measure
from trainables.funlora.figures import FIGURES

draw = FIGURES["ponderations"].draw


def function(case: str, layer: int, label: int, index: int, omega: float | None) -> dict[str, object]:
    return {
        "trial": f"{case} · seed 0",
        "layer": layer,
        "name": f"block.{layer}",
        "label": label,
        "function": index,
        "lambda": layer + index + label / 10,
        "omega": omega,
        "initial_lambda": 1.0,
        "initial_omega": None if omega is None else float(index),
    }


def test_a_line_per_layer_is_the_mean_over_classes_beside_the_initial_value(tmp_path: Path) -> None:
    results = cases(tmp_path, {"cosine": [{"la": 1.0}], "rshift": [{"la": 2.0}]})
    places = [(layer, label, index) for layer in (40, 41) for label in (2, 4) for index in (1, 2)]
    rows = [function("cosine", *place, omega=place[2] + place[1] / 8) for place in places]
    write_measure(results, "functions", rows + [function("rshift", *place, omega=None) for place in places])
    figure = draw(results)
    assert figure
    lamda, omega, _, none, *_ = figure.axes
    now = lamda.collections[0].get_segments()  # type: ignore[attr-defined]
    assert [segment.tolist() for segment in now] == [
        [[1, pytest.approx(41.3)], [2, pytest.approx(42.3)]],
        [[1, pytest.approx(42.3)], [2, pytest.approx(43.3)]],
    ]
    assert points(lamda.lines[0]) == [(1, 1), (2, 1)]
    assert omega.collections[0].get_segments()[0].tolist() == [[1, 1.375], [2, 2.375]]  # type: ignore[attr-defined]
    assert points(omega.lines[0]) == [(1, 1), (2, 2)]
    assert [text.get_text() for text in none.texts] == ["no ω"]


def test_of_too_many_rows_those_with_the_most_layers_are_shown_and_the_figure_says_so(tmp_path: Path) -> None:
    names = [f"case {index}" for index in range(8)]
    results = cases(tmp_path, {name: [{"la": 1.0}] for name in names})
    rows = [
        function(name, layer, 2, index, omega=float(index + place))
        for place, name in enumerate(names)
        for layer in range(2 if place in (3, 5) else 1)
        for index in (1, 2)
    ]
    write_measure(results, "functions", rows)
    figure = draw(results)
    assert figure
    assert [axes.get_title(loc="left") for axes in figure.axes[:4:2]] == ["case 3", "case 5"]
    assert figure.axes[-1].get_xlabel().endswith("2 of 8 rows: those with the most layers")
