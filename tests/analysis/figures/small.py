"""Small results with two row names, failures and measures, beside those of `tests.analysis.sweeps`."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from matplotlib.axes import Axes

from analysis.results import Results
from tests.analysis.sweeps import KILLED, write_sweep

CHUNKS, POINTS = (1, 2, 10), (2, 4)


def solvers(
    directory: Path, without: Iterable[tuple[int, int, int]] = (), grid_points: Sequence[int] = POINTS
) -> Results:
    """Three sizes by solvers with two seeds each; ``without`` names the failed by size, solver and seed."""
    trials = []
    for chunks in CHUNKS:
        for points in grid_points:
            for seed in (0, 1):
                row = {"samples.chunks": chunks, "solver.grid_points": points, "seed": seed}
                if (chunks, points, seed) in without:
                    trials.append(row | KILLED)
                    continue
                numbers = {"aia": 50.0 + chunks + points + seed, "seconds": 10.0 * chunks * points + seed}
                trials.append(row | numbers | {"accuracy": [90.0 + seed, 50.0 + chunks + points + seed]})
    names = ["samples.chunks", "solver.grid_points"]
    return write_sweep(directory, trials, name="solvers", rows=names, design=names, columns=["aia", "seconds"])


def cases(directory: Path, rows: Mapping[str, Sequence[Mapping[str, Any]]], **described: Any) -> Results:
    """Rows by case, each with the numbers of its trials."""
    trials = [
        {"trial": f"{case} · seed {seed}", "case": case, "seed": seed, **numbers}
        for case, found in rows.items()
        for seed, numbers in enumerate(found)
    ]
    shown = {"name": "cases", "rows": "case", "design": ["case"], "columns": ["la"]} | described
    return write_sweep(directory, trials, **shown)


def write_measure(results: Results, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """A measure beside the trials."""
    path = results.directory / "measures" / f"{name}.parquet"
    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows]), path)


def points(line: Any) -> list[tuple[float, float]]:
    """Of a line."""
    return [(float(x), float(y)) for x, y in line.get_xydata()]


def bars(axes: Axes) -> list[list[tuple[float, float]]]:
    """Lower and upper ends of the vertical error bars of every row that was drawn."""
    vertical = [each.lines[2][-1] for each in axes.containers]  # type: ignore[attr-defined]
    return [[(float(low[1]), float(high[1])) for low, high in each.get_segments()] for each in vertical]


def words(figure: Any) -> list[str]:
    """Of the figure's legend."""
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]
