"""Searched spaces: distributions in the place of lists, and the trials that a suggestion comes to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sweeper.errors import SweeperError
from sweeper.space.condition import Condition
from sweeper.space.distribution import told, values
from sweeper.space.grid import CASE, Override, Point
from sweeper.space.search_schema import Distribution, SearchFile
from sweeper.space.start import Start
from sweeper.space.trials import Origins, Trial


@dataclass(frozen=True)
class StudyPoint:
    """What a study is given and does not search: a point of the grid beside it."""

    row: Mapping[str, Any]
    origins: Origins

    @property
    def label(self) -> str:
        """The row in words; empty where the grid has one point."""
        return " · ".join(str(value) for value in self.row.values())


@dataclass(frozen=True)
class SearchSpace:
    """How a space is searched. Every point of the grid beside the distributions is a study of its own."""

    asked: SearchFile
    points: Sequence[StudyPoint]
    start: Start
    cases: Mapping[str, Point]
    """What the cases override, where the case is searched."""
    conditions: Mapping[str, Condition]
    """When a name is asked for, of those that depend on others."""
    where: Callable[..., str]
    """Where a part of the file stands."""

    @property
    def distributions(self) -> Mapping[str, Distribution]:
        """By name, in the order in which they are asked for."""
        return self.asked.distributions

    @property
    def design(self) -> list[str]:
        """Names of a trial's row: those of the grid, then those that are searched."""
        return [*self.points[0].row, *self.distributions]

    @property
    def told(self) -> dict[str, str]:
        """The distributions in words."""
        return {name: told(each) for name, each in self.distributions.items()}

    def suggest(self, point: StudyPoint, draw: Callable[[str, Distribution], Any]) -> dict[str, Any]:
        """A suggestion: values by searched name, without the names whose condition does not hold.

        Args:
            point: what the study is given.
            draw: the value of a name from its distribution.
        """
        found: dict[str, Any] = {}
        for name, each in self.distributions.items():
            if self._is_asked_for(name, point, found):
                found[name] = draw(name, each)
        return found

    def all(self, point: StudyPoint) -> Iterator[dict[str, Any]]:
        """Every suggestion that a study may make. Raises TypeError where a name has a continuum of values."""
        return self._all(point, list(self.distributions), {})

    def trials(self, point: StudyPoint, params: Mapping[str, Any]) -> list[Trial]:
        """The trials of a suggestion, one for every combination of repeats.

        Raises SweeperError where the space's condition drops it, or the config or the trainable refuses it.
        """
        overrides = {**point.origins.overrides, **self._overrides(params)}
        origins = replace(point.origins, overrides=overrides)
        given = self._given(point, params)
        row = {**point.row, **self.completed(point, params)}
        found, condition = self.start.candidates([(row, origins)]), self.start.kept
        if condition and not all(condition.holds({**given, **each.repeats}) for each in found):
            raise SweeperError("where excludes it", where=condition.where)
        trials, _ = self.start.trials(found)
        origins.attempt(partial(self.start.trainable.check_config, trials[0].config))
        return trials

    def completed(self, point: StudyPoint, params: Mapping[str, Any]) -> dict[str, Any]:
        """A suggestion with the values that the names have which it was not asked for."""
        given = self._given(point, params)
        return {name: given[name] for name in self.distributions}

    def anchor(self, point: StudyPoint) -> list[Trial]:
        """The trials that a study starts from, with nothing suggested. Raises SweeperError where they are none."""
        trials, _ = self.start.trials(self.start.candidates([(point.row, point.origins)]))
        return trials

    def _all(self, point: StudyPoint, names: Sequence[str], found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Those that begin with what is found already; ``names`` are left."""
        if not names:
            yield dict(found)
            return
        name, *rest = names
        if not self._is_asked_for(name, point, found):
            yield from self._all(point, rest, found)
            return
        options = values(self.distributions[name])
        if options is None:
            raise TypeError(f"{name} has a continuum of values")
        for value in options:
            yield from self._all(point, rest, {**found, name: value})

    def _is_asked_for(self, name: str, point: StudyPoint, found: Mapping[str, Any]) -> bool:
        condition = self.conditions.get(name)
        return condition is None or condition.holds(self._given(point, found))

    def _given(self, point: StudyPoint, params: Mapping[str, Any]) -> dict[str, Any]:
        """Values that conditions may ask for: of the preset, the point and what is suggested so far."""
        chosen = {name: each.value for name, each in self._overrides(params).items()}
        return {**self.start.values, **point.row, **point.origins.values, **chosen, **params}

    def _overrides(self, params: Mapping[str, Any]) -> dict[str, Override]:
        """What a suggestion overrides of the config: its case's values, then its own."""
        found = dict(self.cases[params[CASE]]) if CASE in params else {}
        for name in (name for name in params if name != CASE):
            place = ("search", "distributions", name)
            found[name] = Override(params[name], self.where(*place), self.where(*place, key=True))
        return found
