"""What all trials of a space start from, whether they are listed or suggested."""

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
    """A preset, and what is said of all trials alike."""

    trainable: Trainable
    preset: str
    where: str
    """Where the preset is named."""
    repeats: Repeats
    """What every row is repeated over."""
    kept: Condition | None
    """What keeps a trial."""

    @property
    def base(self) -> BaseModel:
        """The preset's config."""
        return self.trainable.presets[self.preset]

    @cached_property
    def meanings(self) -> dict[str, str]:
        """What the config says of its dotted names."""
        values = self.base.model_dump()
        return {
            name: ", ".join(filter(None, [field.description, f"in preset {self.preset} {value_at(values, name)}"]))
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
        """Where the values of a config with these overrides were written."""
        return Origins(self.where, overrides, self.meanings, self.repeats.where)

    def candidates(self, points: Iterable[tuple[Mapping[str, Any], Origins]]) -> list[Candidate]:
        """The points with every combination of repeats, before their configs are checked."""
        return candidates(points, self.repeats)

    def trials(self, found: Sequence[Candidate]) -> tuple[list[Trial], list[tuple[str, str]]]:
        """The trials with distinct configs, and the labels of the others, see `sweeper.space.trials.make_trials`."""
        return make_trials(self.trainable, self.base, found)

    def listed(
        self, points: Iterable[tuple[Mapping[str, Any], Mapping[str, Override]]]
    ) -> tuple[list[Trial], list[tuple[str, str]]]:
        """The trials of a grid's points that the condition keeps. Raises SweeperError where it keeps none."""
        found = self.candidates((row, self.origins(overrides)) for row, overrides in points)
        return self.trials(kept(found, self.kept, self.values) if self.kept else found)
