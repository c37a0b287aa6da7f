"""The results of a search: its studies, their suggestions, the chosen ones, and the importance of searched names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

from analysis.contract import SEARCH_METADATA
from analysis.front import Sense, front, hypervolume, is_finite

BEST, BEST_OF_EACH = 10, 3
"""Suggestions that are chosen with one objective: in a single study, and in each of several."""
OWN = ("number", "state", "cause", "seeds", "seconds", "targets")


@dataclass(frozen=True)
class Suggestion:
    """A sampler's values of the searched names, and their outcome."""

    number: int
    """Counted from 0 within its study."""
    state: str
    """``finished``, ``pruned``, ``failed`` or ``running``."""
    cause: str | None
    seeds: int
    """Number of finished seeds."""
    seconds: float | None
    """Seconds of the stages that it ran itself."""
    targets: tuple[str, ...]
    """Targets of its seeds, as in the trials."""
    values: Mapping[str, float | None]
    """Means over the seeds by objective; None unless it has finished."""
    params: Mapping[str, Any]
    """Suggested values by searched name; None for names that were not suggested."""


@dataclass(frozen=True)
class Study:
    """A sampler's suggestions for one row of the grid beside the search."""

    label: str
    """The row of the grid; empty without a grid."""
    suggestions: Sequence[Suggestion]

    def of(self, state: str) -> list[Suggestion]:
        """Return the suggestions in a state."""
        return [each for each in self.suggestions if each.state == state]


@dataclass(frozen=True)
class Importance:
    """The share of an objective's variance within a study that a searched name explains."""

    study: str
    objective: str
    name: str
    importance: float


@dataclass(frozen=True)
class Search:
    """The search of a space: its settings and its studies."""

    sampler: str
    pruner: str | None
    objectives: Mapping[str, Sense]
    given: Mapping[str, float]
    """The reference point that the space sets, by objective."""
    trials: int
    """Requested suggestions per study."""
    distributions: Mapping[str, str]
    """Descriptions of the distributions by searched name."""
    importances: Sequence[Importance]
    studies: Sequence[Study]

    @classmethod
    def of(cls, table: pa.Table) -> Search:
        """Parse the suggestions and their metadata. Raises KeyError, TypeError or ValueError if they are invalid."""
        told = json.loads((table.schema.metadata or {})[SEARCH_METADATA])
        studies: dict[str, list[Suggestion]] = {}
        for row in table.to_pylist():
            studies.setdefault(row["study"], []).append(_suggestion(row, told["objectives"], told["distributions"]))
        return cls(
            sampler=told["sampler"],
            pruner=told["pruner"],
            objectives=told["objectives"],
            given=told["reference"] or {},
            trials=told["trials"],
            distributions=told["distributions"],
            importances=[Importance(**each) for each in told["importances"]],
            studies=[Study(label, found) for label, found in studies.items()] or [Study("", [])],
        )

    @property
    def senses(self) -> list[Sense]:
        """Directions of the objectives."""
        return list(self.objectives.values())

    @cached_property
    def reference(self) -> Mapping[str, float]:
        """The reference point of hypervolumes by objective: given, or else the worst value that any study has found.

        It lacks objectives that have no value yet.
        """
        worst = dict(self._worst())
        return {name: value for name in self.objectives if (value := self.given.get(name, worst.get(name))) is not None}

    @cached_property
    def chosen(self) -> Sequence[Suggestion]:
        """The suggestions that tables and figures show, by study, the best in the first objective first."""
        return [each for study in self.studies for each in self.chosen_of(study)]

    def chosen_of(self, study: Study) -> list[Suggestion]:
        """Return the Pareto front of a study, or its best suggestions for one objective; of equal configs the first."""
        found = distinct(study)
        if len(self.objectives) > 1:
            return [found[index] for index in front([self.point(each) for each in found], self.senses)]
        (name, sense), most = *self.objectives.items(), BEST if len(self.studies) == 1 else BEST_OF_EACH
        known = [(value, each) for each in found if is_finite(value := each.values[name])]
        return [each for _, each in sorted(known, key=lambda pair: pair[0], reverse=sense == "maximise")[:most]]

    def point(self, suggestion: Suggestion) -> list[float | None]:
        """Return its values in the order of the objectives."""
        return [suggestion.values[name] for name in self.objectives]

    def hypervolume(self, study: Study) -> float | None:
        """Return the hypervolume of a study; None for one objective, and if nothing has finished."""
        if len(self.objectives) == 1 or not study.of("finished"):
            return None
        return self._volume([self.point(each) for each in self.chosen_of(study)])

    def history(self, study: Study) -> list[float | None]:
        """Return the best value or the hypervolume after every suggestion; None before the first finished one."""
        return list(self._hypervolumes(study) if len(self.objectives) > 1 else self._best(study))

    def _best(self, study: Study) -> Iterator[float | None]:
        (name, sense), best = *self.objectives.items(), None
        for each in study.suggestions:
            value = each.values[name]
            if is_finite(value):
                best = value if best is None else max(best, value) if sense == "maximise" else min(best, value)
            yield best

    def _hypervolumes(self, study: Study) -> Iterator[float | None]:
        unbeaten: list[list[float | None]] = []
        volume = None
        for each in study.suggestions:
            if each.state == "finished":
                rivals = [*unbeaten, self.point(each)]
                unbeaten = [rivals[index] for index in sorted(front(rivals, self.senses))]
                if volume is None or rivals[-1] in unbeaten:
                    volume = self._volume(unbeaten)
            yield volume

    def _volume(self, points: Sequence[Sequence[float | None]]) -> float:
        return hypervolume(points, list(self.reference.values()), self.senses)

    def _worst(self) -> Iterator[tuple[str, float]]:
        finished = [each for study in self.studies for each in study.of("finished")]
        for name, sense in self.objectives.items():
            if found := [value for each in finished if is_finite(value := each.values[name])]:
                yield name, min(found) if sense == "maximise" else max(found)


def distinct(study: Study) -> list[Suggestion]:
    """Return the finished suggestions of a study, of those with equal configs only the first."""
    return list({each.targets: each for each in reversed(study.of("finished"))}.values())[::-1]


def _suggestion(row: Mapping[str, Any], objectives: Mapping[str, Any], names: Mapping[str, Any]) -> Suggestion:
    own = {name: row[name] for name in OWN} | {"targets": tuple(row["targets"])}
    values = {name: row[f"value.{name}"] for name in objectives}
    return Suggestion(**own, values=values, params={name: row[f"param.{name}"] for name in names})
