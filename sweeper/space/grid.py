"""The grid of a search space: fixed values, cases and dimensions, each value with its location in the file."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sweeper.errors import SweeperError, nearest
from sweeper.space.document import Document, parse_value
from sweeper.space.repeat import SEED, Repeats
from sweeper.space.schema import PresetValues, SpaceFile

CASE = "case"
"""The name of the column that holds a trial's case, beside the dotted names that vary."""


@dataclass(frozen=True)
class Override:
    """A value for a dotted name, with the locations of the value and of the name."""

    value: Any
    where: str
    name_where: str


Point = Mapping[str, Override]


@dataclass(frozen=True)
class Dimension:
    """Names that vary together: an axis, a group of zip, or all of one_at_a_time."""

    kind: str
    """Its kind in the file's terms, such as ``an axis``."""
    points: Sequence[Point]
    """Every combination of values; all have the same names."""

    def without(self, name: str) -> Dimension:
        """Return the dimension without a name, each remaining combination once."""
        return Dimension(self.kind, distinct([_without(point, name) for point in self.points]))


@dataclass(frozen=True)
class Grid:
    """The overrides of a search space by dotted name."""

    fixed: Point
    cases: Mapping[str, Point]
    dimensions: Sequence[Dimension]
    baseline: Point

    @property
    def size(self) -> int:
        """Number of points."""
        return max(len(self.cases), 1) * math.prod(len(each.points) for each in self.dimensions)

    @property
    def varied(self) -> list[str]:
        """The names whose values are a trial's row."""
        return [*([CASE] if self.cases else []), *(name for each in self.dimensions for name in each.points[0])]

    def points(self) -> Iterator[tuple[dict[str, Any], dict[str, Override]]]:
        """Yield every case with every combination of the dimensions: its row in the table, and its overrides."""
        cases = [({CASE: name}, overrides) for name, overrides in self.cases.items()]
        for row, overrides in cases or [({}, {})]:
            for points in itertools.product(*(each.points for each in self.dimensions)):
                point = {name: each for part in points for name, each in part.items()}
                yield row | {name: each.value for name, each in point.items()}, {**self.fixed, **overrides, **point}

    def with_value(self, name: str, value: Override) -> Grid:
        """Return the grid with one value of a name for all trials, in place of any in the file."""
        cases = {case: _without(overrides, name) for case, overrides in self.cases.items()}
        narrowed = [each.without(name) for each in self.dimensions]
        dimensions = [each for each in narrowed if each.points[0]]
        return Grid({**self.fixed, name: value}, cases, dimensions, _without(self.baseline, name))

    def check_names(self, known: Sequence[str], repeats: Repeats) -> None:
        """Check every name against those of the config, and the baseline's against the names that vary.

        Args:
            known: the config's dotted names.
            repeats: the repeated names, which may be set nowhere else.

        Raises SweeperError at the first name that is unknown or may not be set.
        """
        cases = itertools.chain.from_iterable(case.items() for case in self.cases.values())
        varied = itertools.chain.from_iterable(each.points[0].items() for each in self.dimensions)
        for name, each in [*self.fixed.items(), *cases, *varied]:
            if name in repeats.values:
                key = repeats.key(name)
                fix = "list the seeds: seeds: [0, 1, 2]" if key == "seeds" else "remove one of the two"
                raise SweeperError(f"'{name}' is already set by {key}", fix=fix, where=each.where)
            if name not in known:
                fix = nearest(name, [other for other in known if other != SEED])
                raise SweeperError(f"unknown name '{name}'", fix=fix, where=each.name_where)
        for name, each in self.baseline.items():
            if name not in self.varied:
                fix = nearest(name, self.varied) if self.varied else "remove it: the space has only one row"
                message = f"baseline: '{name}' does not vary between rows"
                raise SweeperError(message, fix=fix, where=each.name_where)


def read_grid(document: Document, file: SpaceFile, sets: Sequence[str], preset: str) -> Grid:
    """Read a file's overrides for a preset, and apply those of the command line.

    Raises SweeperError at the location of a fault.
    """

    def written(value: Any, *loc: str | int, index: int | None = None) -> Override:
        at = loc if index is None else (*loc, index)
        return Override(value, document.where(*at), document.where(*loc, key=True))

    def lists(values: Mapping[str, Sequence[Any]], *loc: str | int) -> dict[str, list[Override]]:
        return {
            name: [written(value, *loc, name, index=index) for index, value in enumerate(each)]
            for name, each in values.items()
        }

    def points(values: Mapping[str, Any], *loc: str) -> dict[str, Override]:
        return {name: written(value, *loc, name) for name, value in values.items()}

    baseline, tuned = points(file.baseline, "baseline"), file.tuned.get(preset, PresetValues())
    cases = {
        case: points(overrides, "cases", case) | points(tuned.cases.get(case, {}), "tuned", preset, "cases", case)
        for case, overrides in file.cases.items()
    }
    grid = Grid(
        fixed=points(file.fixed, "fixed") | points(tuned.fixed, "tuned", preset, "fixed"),
        cases=cases,
        dimensions=[
            *(_together("an axis", {name: values}) for name, values in lists(file.axes, "axes").items()),
            *(_together("in zip", lists(group, "zip", index)) for index, group in enumerate(file.zip)),
            *_one_at_a_time(lists(file.one_at_a_time, "one_at_a_time"), baseline),
        ],
        baseline=baseline,
    )
    _check_places(grid)
    for assignment in sets:
        where = f"{document.path} with --set {assignment}"
        name, equals, text = assignment.partition("=")
        if not equals:
            raise SweeperError("expected NAME=VALUE", fix="for example --set adapter.lr=1e-3", where=where)
        grid = grid.with_value(name, Override(parse_value(text), where, where))
    return grid


def distinct(points: Sequence[Point]) -> list[Point]:
    """Return the points without duplicates, in order."""
    first: dict[str, Point] = {}
    for point in points:
        first.setdefault(_text(point), point)
    return list(first.values())


def _together(kind: str, lists: Mapping[str, Sequence[Override]]) -> Dimension:
    """Zip the lists into one dimension. Raises SweeperError if their lengths differ or a combination repeats."""
    first = next(iter(lists))
    for name, values in lists.items():
        if len(values) != len(lists[first]):
            message = f"{name}: {len(values)} values, but {first} has {len(lists[first])}"
            fix = "give all lists of a group the same length"
            raise SweeperError(message, fix=fix, where=values[0].name_where)
    points = [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]
    _check_repetitions(points)
    return Dimension(kind, points)


def _one_at_a_time(lists: Mapping[str, Sequence[Override]], baseline: Point) -> Iterator[Dimension]:
    """Yield a dimension of the baseline and of every value of one name with the others at the baseline, if any.

    Raises SweeperError for a name without a baseline or with a duplicate value.
    """
    for name, values in lists.items():
        if name not in baseline:
            message, fix = f"one_at_a_time: '{name}' has no baseline", f"add its value to baseline: {{{name}: ...}}"
            raise SweeperError(message, fix=fix, where=values[0].name_where)
        _check_repetitions([{name: each} for each in values])
    if lists:
        centre = {name: replace(baseline[name], name_where=values[0].name_where) for name, values in lists.items()}
        points = [{**centre, name: each} for name, values in lists.items() for each in values]
        yield Dimension("in one_at_a_time", distinct([centre, *points]))


def _check_repetitions(points: Sequence[Point]) -> None:
    seen: set[str] = set()
    for point in points:
        if (text := _text(point)) in seen:
            names, values = ", ".join(point), ", ".join(f"{each.value!r}" for each in point.values())
            where = next(iter(point.values())).where
            raise SweeperError(f"{names}: {values} is given twice", fix="remove one", where=where)
        seen.add(text)


def _check_places(grid: Grid) -> None:
    """Check that no name is set in two places; a case may override a fixed value. Raises SweeperError."""
    varied: dict[str, str] = {}
    for each in grid.dimensions:
        for name, override in each.points[0].items():
            if name in grid.fixed or name in varied:
                two = f"both {'fixed' if name in grid.fixed else varied[name]} and {each.kind}"
                if varied.get(name) == each.kind:
                    two = "in two groups of zip"
                raise SweeperError(f"'{name}' is {two}", fix="remove one of the two", where=override.name_where)
            varied[name] = each.kind
    for case, overrides in grid.cases.items():
        for name, override in overrides.items():
            if name in varied:
                message = f"'{name}' is both in case {case} and {varied[name]}"
                raise SweeperError(message, fix="remove one of the two", where=override.name_where)


def _without(point: Point, name: str) -> dict[str, Override]:
    return {other: each for other, each in point.items() if other != name}


def _text(point: Point) -> str:
    """Return text that is equal for equal values."""
    return json.dumps({name: each.value for name, each in point.items()}, sort_keys=True, default=str)
