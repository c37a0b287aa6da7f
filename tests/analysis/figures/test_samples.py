from pathlib import Path

import numpy as np
from PIL import Image

from analysis.figures import FIGURES
from tests.analysis.figures.small import cases

draw = FIGURES["samples"].draw


def test_every_row_shows_the_picture_of_its_first_trial_that_has_one(tmp_path: Path) -> None:
    targets = {"funlora": ["a" * 64, "b" * 64], "multitask": ["c" * 64], "none": ["d" * 64]}
    results = cases(tmp_path, {case: [{"target": target} for target in found] for case, found in targets.items()})
    for target, grey in (("b" * 64, 10), ("c" * 64, 200)):
        path = results.directory / "pictures" / target[:12] / "samples.png"
        path.parent.mkdir(parents=True)
        Image.new("L", (8, 5), grey).save(path)
    figure = draw(results)
    assert figure
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["funlora · seed 1", "multitask · seed 0"]
    assert [np.unique(axes.images[0].get_array()).tolist() for axes in figure.axes] == [[10], [200]]
