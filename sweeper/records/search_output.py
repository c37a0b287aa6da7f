"""The output of a search beside its table: pictures and the table as files, and a few numbers for MLflow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from analysis.figures import FIGURES, save
from analysis.formats import render
from analysis.results import NoTable, Results, read_results
from analysis.summary import summarise

DRAWN = ("front", "history", "search_importances")
FORBIDDEN = re.compile(r"[^\w\-./ :]", re.ASCII)
"""Characters that a metric's name in MLflow must not contain."""


def draw_search(directory: Path, name: str, place: Path) -> None:
    """Draw what a search has found, and write its table, as far as there is anything.

    Args:
        directory: below which every space has a directory of its name.
        name: of the space.
        place: where the files go.

    Raises OSError.
    """
    try:
        results = read_results(directory, name)
        (place / "table.md").write_text(render(summarise(results), "md"))
    except NoTable:
        return
    for each in DRAWN:
        if figure := FIGURES[each].draw(results):
            save(figure, place / f"{each}.png")


def search_metrics(directory: Path, name: str) -> tuple[int, dict[str, float]]:
    """Return the number of suggestions, their hypervolume or best value, and importances."""
    results = read_results(directory, name)
    search = results.search
    count = sum(len(study.suggestions) for study in search.studies) if search else 0
    return count, {FORBIDDEN.sub("_", each): value for each, value in _metrics(results)}


def _metrics(results: Results) -> Iterator[tuple[str, float]]:
    search = results.search
    if search is None:
        return
    for study in search.studies:
        end = f".{study.label}" if study.label else ""
        kind = "hypervolume" if len(search.objectives) > 1 else f"best.{next(iter(search.objectives))}"
        if study.suggestions and (found := search.history(study)[-1]) is not None:
            yield f"{kind}{end}", found
    for each in search.importances:
        yield f"importance.{each.objective}.{each.name}{f'.{each.study}' if each.study else ''}", each.importance
