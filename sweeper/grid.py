"""What varies in a search space: fixed values, cases and axes, each value with the place where it was written."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweeper.errors import SweeperError, nearest
from sweeper.format import SpaceFile
from sweeper.source import Document, parse_value

CASE = "case"
"""The name of a trial's case, beside the dotted names of its axes."""


@dataclass(frozen=True)
class Override:
    """A value for a dotted name, and where the user wrote the value and the name."""

    value: Any
    where: str
    name_where: str


@dataclass(frozen=True)
class Grid:
    """The overrides of a search space by dotted name."""

    fixed: Mapping[str, Override]
    cases: Mapping[str, Mapping[str, Override]]
    axes: Mapping[str, Sequence[Override]]

    def points(self) -> Iterator[tuple[dict[str, Any], dict[str, Override]]]:
        """Every case with every combination of the axes: its place in the table, and all that it overrides."""
        cases = [({CASE: name}, overrides) for name, overrides in self.cases.items()]
        for row, overrides in cases or [({}, {})]:
            for values in itertools.product(*self.axes.values()):
                point = dict(zip(self.axes, values, strict=True))
                yield row | {name: each.value for name, each in point.items()}, {**self.fixed, **overrides, **point}

    def check_names(self, known: Sequence[str]) -> None:
        """Check every name against those of the config. Raises SweeperError at the first unknown one."""
        cases = itertools.chain.from_iterable(case.items() for case in self.cases.values())
        axes = ((name, values[0]) for name, values in self.axes.items())
        for name, each in [*self.fixed.items(), *cases, *axes]:
            if name == "seed":
                raise SweeperError("'seed' is set by seeds", fix="list the seeds: seeds: [0, 1, 2]", where=each.where)
            if name not in known:
                fix = nearest(name, [other for other in known if other != "seed"])
                raise SweeperError(f"unknown name '{name}'", fix=fix, where=each.name_where)


def read_grid(document: Document, file: SpaceFile, sets: Sequence[str]) -> Grid:
    """The overrides of a file under those of the command line, which win. Raises SweeperError at the place."""

    def written(value: Any, name: tuple[str, ...], *index: int) -> Override:
        return Override(value, document.where(*name, *index), document.where(*name, key=True))

    fixed = {name: written(value, ("fixed", name)) for name, value in file.fixed.items()}
    cases = {
        case: {name: written(value, ("cases", case, name)) for name, value in overrides.items()}
        for case, overrides in file.cases.items()
    }
    axes = {
        name: [written(value, ("axes", name), index) for index, value in enumerate(values)]
        for name, values in file.axes.items()
    }
    grid = Grid(fixed, cases, axes)
    _check_axes(grid)
    for assignment in sets:
        grid = _set(grid, assignment, f"{document.path} with --set {assignment}")
    return grid


def _set(grid: Grid, assignment: str, where: str) -> Grid:
    """The grid with one value of a name for all trials, whatever the file says of that name."""
    name, equals, text = assignment.partition("=")
    if not equals:
        raise SweeperError("expected NAME=VALUE", fix="such as --set adapter.lr=1e-3", where=where)
    cases = {
        case: {other: each for other, each in overrides.items() if other != name}
        for case, overrides in grid.cases.items()
    }
    axes = {other: values for other, values in grid.axes.items() if other != name}
    return Grid({**grid.fixed, name: Override(parse_value(text), where, where)}, cases, axes)


def _check_axes(grid: Grid) -> None:
    """An axis gives each value once, and no other place of the file gives any."""
    for name, values in grid.axes.items():
        if name in grid.fixed:
            where = values[0].name_where
            raise SweeperError(f"'{name}' is both fixed and an axis", fix="remove one of the two", where=where)
        seen: set[str] = set()
        for each in values:
            if (text := json.dumps(each.value, sort_keys=True, default=str)) in seen:
                raise SweeperError(f"{name}: {each.value!r} is given twice", fix="remove one", where=each.where)
            seen.add(text)
    for case, overrides in grid.cases.items():
        for name in overrides.keys() & grid.axes.keys():
            where = overrides[name].name_where
            raise SweeperError(f"'{name}' is both in case {case} and an axis", fix="remove one of the two", where=where)
