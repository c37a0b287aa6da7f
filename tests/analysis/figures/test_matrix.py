from pathlib import Path

import numpy as np

from analysis.figures import FIGURES
from tests.analysis.figures.small import cases
from tests.analysis.sweeps import KILLED

draw = FIGURES["matrix"].draw


def trial(level: float) -> dict[str, object]:
    return {"la": level, "accuracy_matrix": [[99.0], [level, level + 10]]}


def test_a_cell_is_the_mean_over_seeds_and_tasks_to_come_are_blank(tmp_path: Path) -> None:
    axes = draw(cases(tmp_path, {"mul": [trial(80), trial(83), KILLED]})).axes[0]  # type: ignore[union-attr]
    cells = np.ma.filled(axes.images[0].get_array(), np.nan)
    assert np.array_equal(cells, [[99, np.nan], [81.5, 91.5]], equal_nan=True)
    assert [text.get_text() for text in axes.texts] == ["99", "82", "92"]
    assert axes.get_title(loc="left") == "mul (n=2 of 3)"


def test_of_many_rows_the_best_whole_one_and_the_baseline_are_shown(tmp_path: Path) -> None:
    levels = {"real": 99, "a": 60, "b": 90, "c": 85, "d": 70, "e": 50}
    rows = {case: [trial(level), trial(level)] for case, level in levels.items()}
    rows["b"][1] = KILLED  # type: ignore[assignment]
    figure = draw(cases(tmp_path, rows, bounds=["real"], baseline={"case": "a"}))
    assert figure
    assert [axes.get_title(loc="left") for axes in figure.axes[:-1]] == ["a", "c"]
    assert figure.axes[-1].get_xlabel().endswith("2 of 6 rows: the best by LA % and the baseline")
