"""Trials become one graph of unique stages: a plan for every search space, and the graph of them all."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from typing import overload

from sweeper.errors import SweeperError, nearest
from sweeper.resources import ResourceChanges, Resources
from sweeper.space import Space, Trial
from sweeper.stage import Stage
from sweeper.store import Store
from sweeper.sweep import Sweep


@dataclass(frozen=True)
class Plan:
    """A search space with the last stage of every trial, in the order of trials."""

    space: Space
    targets: tuple[Stage, ...]

    @classmethod
    def of(cls, space: Space) -> Plan:
        """Build every trial's graph. Nothing runs.

        Raises SweeperError for what the experiment refuses and for a stage of no known part.
        """
        run = space.trainable.run
        plan = cls(space, tuple(trial.origins.attempt(partial(run, trial.config)) for trial in space.trials))
        parts = space.trainable.parts
        for function in (node.function for node in plan.stages.values()):
            if function.part not in parts:  # its seconds would stand in no column
                message = f"stage {function.name} belongs to '{function.part}', which PARTS of its trainable lacks"
                raise SweeperError(message, fix=nearest(function.part, parts))
        known = {node.function.label for node in plan.stages.values()}
        for label in space.resources:
            if label not in known:
                where = space.where("resources", label, key=True)
                raise SweeperError(f"resources: no stage is called '{label}'", fix=nearest(label, known), where=where)
        return plan

    @cached_property
    def stages(self) -> dict[str, Stage]:
        """Unique stages by key, inputs before what needs them."""
        return {key: node for stages in self.per_trial for key, node in stages.items()}

    @cached_property
    def per_trial(self) -> Sequence[dict[str, Stage]]:
        """The unique stages below each trial's last one, itself included."""
        return ByKey([tuple(collect(target, {}).values()) for target in self.targets])

    def trials(self) -> Iterable[tuple[Trial, Stage]]:
        """Trials with their last stages."""
        return zip(self.space.trials, self.targets, strict=True)


@dataclass(frozen=True)
class Graph:
    """The stages of a whole sweep, each once, whichever of its spaces need it."""

    name: str
    plans: tuple[Plan, ...]

    @classmethod
    def of(cls, sweep: Sweep) -> Graph:
        """Build every trial's graph. Nothing runs."""
        with _no_collector():
            return cls(sweep.name, tuple(Plan.of(space) for space in sweep.spaces))

    @property
    def targets(self) -> Iterator[Stage]:
        """The last stage of every trial."""
        return chain.from_iterable(plan.targets for plan in self.plans)

    @cached_property
    def stages(self) -> dict[str, Stage]:
        """Unique stages by key, inputs before what needs them."""
        return {key: node for plan in self.plans for key, node in plan.stages.items()}

    @cached_property
    def first_space(self) -> dict[str, str]:
        """The name of the first space that needs each stage."""
        return {key: plan.space.name for plan in reversed(self.plans) for key in plan.stages}

    def resources(self, node: Stage) -> Resources:
        """What a stage asks for, by the first space that needs it."""
        changes = self._changes[self.first_space[node.key]].get(node.function.label)
        return changes.over(node.function.resources) if changes else node.function.resources

    @cached_property
    def _changes(self) -> dict[str, Mapping[str, ResourceChanges]]:
        return {plan.space.name: plan.space.resources for plan in self.plans}

    def missing(self, store: Store, targets: Collection[str] | None = None) -> dict[str, Stage]:
        """Stages that have to run, inputs first: those not in the store that a missing target needs.

        Args:
            store: where artifacts are.
            targets: keys of the targets that matter; all by default.
        """
        cached = store.among(self.stages)
        if not cached and targets is None:
            return dict(self.stages)
        found: dict[str, Stage] = {}
        for target in self.targets:
            if targets is None or target.key in targets:
                collect(target, found, cached)
        return found


@dataclass(frozen=True)
class ByKey(Sequence[dict[str, Stage]]):
    """Stages of many trials, held as tuples, since there are many, and given by key."""

    nodes: Sequence[tuple[Stage, ...]]

    def __len__(self) -> int:
        return len(self.nodes)

    @overload
    def __getitem__(self, index: int) -> dict[str, Stage]: ...

    @overload
    def __getitem__(self, index: slice) -> ByKey: ...

    def __getitem__(self, index: int | slice) -> dict[str, Stage] | ByKey:
        if isinstance(index, slice):
            return ByKey(self.nodes[index])
        return {node.key: node for node in self.nodes[index]}


def collect(target: Stage, found: dict[str, Stage], cached: Collection[str] = ()) -> dict[str, Stage]:
    """Add ``target`` and all below it to ``found``, inputs first: without what is cached and what only that needs."""
    path: list[tuple[Stage, Iterator[Stage]]] = []
    ahead = iter([target])
    while True:
        for node in ahead:
            if node.key not in found and node.key not in cached:
                path.append((node, ahead))
                ahead = node.parents()
                break
        else:
            if not path:
                return found
            node, ahead = path.pop()
            found[node.key] = node


@contextlib.contextmanager
def _no_collector() -> Iterator[None]:
    """Stages make no cycles, but are so many that the garbage collector would take a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def dependents(stages: Mapping[str, Stage]) -> dict[str, list[str]]:
    """Keys of the stages that use each stage, within ``stages``."""
    users: dict[str, list[str]] = {key: [] for key in stages}
    for key, node in stages.items():
        for parent in {parent.key for parent in node.parents()} & users.keys():
            users[parent].append(key)
    return users
