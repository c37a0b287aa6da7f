"""The common start of all trials of a space, listed or suggested."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from sweeper.space.condition import Condition
from sweeper.space.grid import Override
from sweeper.space.repeat import Repeats
from sweeper.space.trials import Candidate, Origins, Trial, candidates, kept, make_trials, value_at
from sweeper.trainable.trainable import Trainable, dotted_fields


@dataclass(frozen=True)
class Start:
    """A preset, with the repeats and the condition that apply to all trials."""

    trainable: Trainable
    preset: str
    where: str
    """The location of the preset's name."""
    repeats: Repeats
    """The names that every row is repeated over, with their values."""
    kept: Condition | None
    """The condition that a trial must satisfy."""

    @property
    def base(self) -> BaseModel:
        """The preset's config."""
        return self.trainable.presets[self.preset]

    @cached_property
    def meanings(self) -> dict[str, str]:
        """Descriptions of the config's dotted names, each with its value in the preset."""
        values = self.base.model_dump()
        return {
            name: ", ".join(filter(None, [field.description, f"{value_at(values, name)} in preset {self.preset}"]))
            for name, field in dotted_fields(self.trainable.config)
        }

    @property
    def names(self) -> list[str]:
        """The config's dotted names."""
        return list(self.meanings)

    @cached_property
    def values(self) -> dict[str, Any]:
        """The preset's values by dotted name."""
        values = self.base.model_dump(mode="json")
        return {name: value_at(values, name) for name in self.names}

    def origins(self, overrides: Mapping[str, Override]) -> Origins:
        """Return the locations of the values of a config with these overrides."""
        return Origins(self.where, overrides, self.meanings, self.repeats.where)

    def candidates(self, points: Iterable[tuple[Mapping[str, Any], Origins]]) -> list[Candidate]:
        """Return the points with every combination of repeats, before their configs are checked."""
        return candidates(points, self.repeats)

    def trials(self, found: Sequence[Candidate]) -> tuple[list[Trial], list[tuple[str, str]]]:
        """Return the trials with distinct configs and the duplicates, see `sweeper.space.trials.make_trials`."""
        return make_trials(self.trainable, self.base, found)

    def listed(
        self, points: Iterable[tuple[Mapping[str, Any], Mapping[str, Override]]]
    ) -> tuple[list[Trial], list[tuple[str, str]]]:
        """Return the trials of a grid's points that satisfy the condition. Raises SweeperError if none does."""
        found = self.candidates((row, self.origins(overrides)) for row, overrides in points)
        return self.trials(kept(found, self.kept, self.values) if self.kept else found)
