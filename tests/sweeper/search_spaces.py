"""Searched spaces of the toy trainable, and their studies."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from sweeper.engine.search.study import Study
from sweeper.records.layout import RunsDirectory
from sweeper.space.search import SearchSpace
from tests.project import Project

SEARCH_SPACE = """\
name: hunt
trainable: tests.tiny
preset: small
seeds: [0, 1]
search:
  distributions:
    branch.kind: {choice: [plus, minus]}
    branch.size: {int: [0, 7]}
  objectives: {score: maximise}
  trials: 6
"""
CASES = """\
name: hunt
trainable: tests.tiny
preset: small
seeds: [0, 1]
cases: {up: {branch.kind: plus, trunk.steps: 4}, down: {branch.kind: minus, branch.size: 2}}
search:
  distributions:
    case: {choice: [up, down]}
    branch.size: {int: [4, 6], when: "case != 'down'"}
    trunk.steps: {choice: [2, 3], when: "branch.kind == 'minus'"}
  objectives: {score: maximise}
  trials: 6
"""


def search_space(*changes: tuple[str, str], more: str = "") -> str:
    """SEARCH_SPACE with texts replaced, each of which it must hold, and more said of its search."""
    text = SEARCH_SPACE
    for old, new in changes:
        if old not in text:
            raise ValueError(f"{old} is not there")
        text = text.replace(old, new)
    return f"{text}  {more}\n" if more else text


def study_in(runs: Path | None, searched: SearchSpace, row: int = 0) -> Study:
    """A study of one of the rows, opened anew; without a directory one that is forgotten."""
    return Study(searched, searched.points[row], "hunt", RunsDirectory(runs).studies_uri if runs else None)


def ask(study: Study, count: int, value: Callable[[Mapping[str, Any]], float] = lambda params: 0.0) -> list[Any]:
    """The values of so many suggestions, each told what it comes to before the next one is asked for."""
    asked = []
    for _ in range(count):
        each = study.ask()
        asked.append(dict(each.params))
        study.finish(each.number, [value(each.params)], 1)
    return asked


def suggestions(project: Project, name: str = "hunt") -> list[dict[str, Any]]:
    """The rows of a space's suggestions."""
    rows: list[dict[str, Any]] = pq.read_table(results(project, name) / "suggestions.parquet").to_pylist()
    return rows


def trials(project: Project, name: str = "hunt") -> list[dict[str, Any]]:
    """The rows of a space's trials."""
    rows: list[dict[str, Any]] = pq.read_table(results(project, name) / "trials.parquet").to_pylist()
    return rows


def results(project: Project, name: str = "hunt") -> Path:
    """Where a space's results lie."""
    return project.path / "runs" / "results" / name
