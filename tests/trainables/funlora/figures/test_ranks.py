from pathlib import Path

import numpy as np

from tests.analysis.figures.small import cases, solvers, write_measure
from tests.analysis.sweeps import UNRUN
from trainables.funlora.figures import FIGURES

draw = FIGURES["ranks"].draw


def rank(trial: str, layer: int | None, label: int, value: int) -> dict[str, object]:
    name = "middle.attention" if layer is None else f"block.{layer}"
    return {"trial": trial, "layer": layer, "name": name, "label": label, "rank": value}


def test_a_cell_is_the_mean_rank_of_a_layer_and_a_layer_that_is_not_adapted_stays_blank(tmp_path: Path) -> None:
    results = cases(tmp_path, {"cosine": [{"la": 1.0}, UNRUN], "attention": [{"la": 2.0}, {"la": 2.0}]})
    ranks = [rank("cosine · seed 0", 1, 2, 4), rank("cosine · seed 0", 1, 3, 7)]
    ranks += [rank(f"attention · seed {seed}", None, 2, 2 + seed) for seed in (0, 1)]
    write_measure(results, "ranks", ranks)
    axes = draw(results).axes[0]  # type: ignore[union-attr]
    cells = np.ma.filled(axes.images[0].get_array(), np.nan)
    assert np.array_equal(cells, [[np.nan, 5.5, np.nan, np.nan], [np.nan, np.nan, np.nan, 2.5]], equal_nan=True)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cosine (n=1 of 2)", "attention"]
    assert [text.get_text() for text in axes.texts] == ["7", "3"]


def test_rows_that_have_learned_the_very_same_are_one_where_they_share_a_value(tmp_path: Path) -> None:
    results = solvers(tmp_path)
    labels = results.trials["trial"].to_pylist()
    sizes = results.trials["samples.chunks"].to_pylist()
    write_measure(results, "ranks", [rank(trial, 0, 2, size) for trial, size in zip(labels, sizes, strict=True)])
    axes = draw(results).axes[0]  # type: ignore[union-attr]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["1", "2", "10"]
    write_measure(results, "ranks", [rank(trial, 0, 2, 5) for trial in labels])
    axes = draw(results).axes[0]  # type: ignore[union-attr]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["all 6 rows"]
    write_measure(results, "ranks", [rank(trial, 0, 2, 5) for trial in labels[:6]])
    axes = draw(results).axes[0]  # type: ignore[union-attr]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["1 · 2", "1 · 4", "2 · 2"]
