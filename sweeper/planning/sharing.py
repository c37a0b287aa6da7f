"""Sharing of stages between the rows of a sweep: stages grouped by the set of rows that use them."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sweeper.planning.graph import Graph, Plan
from sweeper.space.space import Trial

Rows = tuple[int, ...]
"""Indices of rows, ascending."""
NAMED_ROWS = 2
"""Rows that a group names at most; larger groups are only counted."""


@dataclass(frozen=True)
class Row:
    """A row of one space's table before repeats are averaged: trials that differ only in repeated names."""

    space: str
    name: str
    """Its values, such as ``rshift · 40-54``."""
    trials: Sequence[Trial]
    stages: Mapping[str, None]
    """Keys of the stages of all its trials."""


@dataclass(frozen=True)
class Sharing:
    """The rows of a sweep, and the stages that they use. Takes time linear in the stages of all rows."""

    rows: Sequence[Row]

    @classmethod
    def of(cls, graph: Graph) -> Sharing:
        """Collect the rows of all spaces, in order."""
        return cls([row for plan in graph.plans for row in _rows(plan)])

    @cached_property
    def labels(self) -> list[str]:
        """The name of every row, prefixed by that of its space if there are several."""
        several = len({row.space for row in self.rows}) > 1
        return [f"{row.space}: {row.name}" if several and row.name != row.space else row.name for row in self.rows]

    @cached_property
    def users(self) -> dict[str, Rows]:
        """The rows that use each stage, by key."""
        users: dict[str, list[int]] = defaultdict(list)
        for index, row in enumerate(self.rows):
            for key in row.stages:
                users[key].append(index)
        return {key: tuple(rows) for key, rows in users.items()}

    @cached_property
    def groups(self) -> dict[Rows, int]:
        """The number of stages that exactly these rows use, by rows; most stages first."""
        return dict(Counter(self.users.values()).most_common())

    @cached_property
    def by_row(self) -> list[list[Rows]]:
        """The groups that each row is in, most stages first."""
        found: list[list[Rows]] = [[] for _ in self.rows]
        for rows in self.groups:
            for index in rows:
                found[index].append(rows)
        return found

    def own(self, index: int) -> int:
        """Return the number of stages that no other row uses."""
        return self.groups.get((index,), 0)

    def shared(self, index: int) -> list[Rows]:
        """Return the groups of a row that have other rows too, most stages first."""
        return [rows for rows in self.by_row[index] if len(rows) > 1]

    def names(self, rows: Rows, without: int | None = None) -> str:
        """Describe rows, except the one ``without``: ``all 11 rows``, their names if they are few, or ``7 rows``."""
        if len(rows) == len(self.rows) > 1:
            return f"all {len(rows)} rows"
        others = len(rows) - (without is not None)
        if others > NAMED_ROWS:
            return f"{others:,} rows"
        space = self.rows[without].space if without is not None else None
        return " and ".join(
            self.rows[index].name if self.rows[index].space == space else self.labels[index]
            for index in rows
            if index != without
        )


def _rows(plan: Plan) -> Iterator[Row]:
    """Yield the rows of one space."""
    trials: dict[str, list[Trial]] = defaultdict(list)
    stages: dict[str, dict[str, None]] = defaultdict(dict)
    for (trial, _), keys in zip(plan.pairs(), plan.per_trial, strict=True):
        row = json.dumps(trial.row, default=str)
        trials[row].append(trial)
        stages[row].update(dict.fromkeys(keys))
    for row, found in trials.items():
        name = " · ".join(str(value) for value in found[0].row.values())
        yield Row(plan.space.name, name or plan.space.name, found, stages[row])
