"""Pictures that trials have written, such as images sampled by a model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from analysis.figures.groups import Group, groups_of
from analysis.figures.style import WIDTH, sheet
from analysis.results import Results

MAX_PICTURES = 4
"""Pictures that are shown at most."""
TITLE = 0.2
"""Height of a title in inches."""


def draw(results: Results) -> Figure | None:
    """Draw the pictures of the first finished trial with pictures of every row, titled by row and seed."""
    found = [each for row in groups_of(results) for each in _pictures(results, row)]
    if not found:
        return None
    pictures = [(title, np.asarray(Image.open(path).convert("RGB"))) for title, path in found[:MAX_PICTURES]]
    heights = [TITLE + WIDTH * picture.shape[0] / picture.shape[1] for _, picture in pictures]
    figure, panels = sheet(sum(heights), len(pictures), height_ratios=heights)
    for axes, (title, picture) in zip(panels, pictures, strict=True):
        axes.imshow(picture)
        axes.set_title(title)
        axes.set_axis_off()
    if len(found) > MAX_PICTURES:
        panels[0].set_title(f"{found[0][0]} (the first {MAX_PICTURES} of {len(found)} pictures)")
    return figure


def _pictures(results: Results, row: Group) -> Iterator[tuple[str, Path]]:
    for trial in row.finished.to_pylist():
        if paths := results.pictures(trial["target"]):
            yield from ((_title(results, row, trial, path, len(paths)), path) for path in paths)
            return


def _title(results: Results, row: Group, trial: dict[str, Any], path: Path, pictures: int) -> str:
    seeds = [f"{name.replace('_', ' ')} {trial[name]}" for name in results.described.seeds]
    return " · ".join([row.label, *seeds, *([path.stem] if pictures > 1 else [])])
