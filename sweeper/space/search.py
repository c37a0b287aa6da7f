"""Searched spaces: distributions in place of lists, and the trials of a suggestion."""

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
    """A point of the grid beside the search, fixed within one study."""

    row: Mapping[str, Any]
    origins: Origins

    @property
    def label(self) -> str:
        """The row as text; empty if the grid has one point."""
        return " · ".join(str(value) for value in self.row.values())


@dataclass(frozen=True)
class SearchSpace:
    """A validated search. Every point of the grid beside the distributions is a study of its own."""

    asked: SearchFile
    points: Sequence[StudyPoint]
    start: Start
    cases: Mapping[str, Point]
    """Overrides of the cases, if the case is searched."""
    conditions: Mapping[str, Condition]
    """The condition under which a name is suggested, for names that have one."""
    where: Callable[..., str]
    """Returns the location of a part of the file."""

    @property
    def distributions(self) -> Mapping[str, Distribution]:
        """The distributions by name, in the order in which they are suggested."""
        return self.asked.distributions

    @property
    def design(self) -> list[str]:
        """Names of a trial's row: those of the grid, then the searched ones."""
        return [*self.points[0].row, *self.distributions]

    @property
    def told(self) -> dict[str, str]:
        """The distributions as text."""
        return {name: told(each) for name, each in self.distributions.items()}

    def suggest(self, point: StudyPoint, draw: Callable[[str, Distribution], Any]) -> dict[str, Any]:
        """Draw a suggestion: values by searched name, without the names whose condition is false.

        Args:
            point: the point of the study.
            draw: draws the value of a name from its distribution.
        """
        found: dict[str, Any] = {}
        for name, each in self.distributions.items():
            if self._is_asked_for(name, point, found):
                found[name] = draw(name, each)
        return found

    def all(self, point: StudyPoint) -> Iterator[dict[str, Any]]:
        """Yield every possible suggestion of a study. Raises TypeError if a distribution is not enumerable."""
        return self._all(point, list(self.distributions), {})

    def trials(self, point: StudyPoint, params: Mapping[str, Any]) -> list[Trial]:
        """Return the trials of a suggestion, one for every combination of repeats.

        Raises SweeperError if the space's condition excludes it, or the config or the trainable rejects it.
        """
        overrides = {**point.origins.overrides, **self._overrides(params)}
        origins = replace(point.origins, overrides=overrides)
        given = self._given(point, params)
        row = {**point.row, **self.completed(point, params)}
        found, condition = self.start.candidates([(row, origins)]), self.start.kept
        if condition and not all(condition.holds({**given, **each.repeats}) for each in found):
            raise SweeperError("where excludes the suggestion", where=condition.where)
        trials, _ = self.start.trials(found)
        origins.attempt(partial(self.start.trainable.check_config, trials[0].config))
        return trials

    def completed(self, point: StudyPoint, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return a suggestion completed with the values of the names that were not suggested."""
        given = self._given(point, params)
        return {name: given[name] for name in self.distributions}

    def anchor(self, point: StudyPoint) -> list[Trial]:
        """Return the trials of a study's point without a suggestion. Raises SweeperError if their config is invalid."""
        trials, _ = self.start.trials(self.start.candidates([(point.row, point.origins)]))
        return trials

    def _all(self, point: StudyPoint, names: Sequence[str], found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the suggestions that extend ``found`` by the remaining ``names``."""
        if not names:
            yield dict(found)
            return
        name, *rest = names
        if not self._is_asked_for(name, point, found):
            yield from self._all(point, rest, found)
            return
        options = values(self.distributions[name])
        if options is None:
            raise TypeError(f"{name} cannot be enumerated")
        for value in options:
            yield from self._all(point, rest, {**found, name: value})

    def _is_asked_for(self, name: str, point: StudyPoint, found: Mapping[str, Any]) -> bool:
        condition = self.conditions.get(name)
        return condition is None or condition.holds(self._given(point, found))

    def _given(self, point: StudyPoint, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values that conditions may refer to: the preset's, the point's and those suggested so far."""
        chosen = {name: each.value for name, each in self._overrides(params).items()}
        return {**self.start.values, **point.row, **point.origins.values, **chosen, **params}

    def _overrides(self, params: Mapping[str, Any]) -> dict[str, Override]:
        """Return a suggestion's overrides of the config: its case's values, then its own."""
        found = dict(self.cases[params[CASE]]) if CASE in params else {}
        for name in (name for name in params if name != CASE):
            place = ("search", "distributions", name)
            found[name] = Override(params[name], self.where(*place), self.where(*place, key=True))
        return found
