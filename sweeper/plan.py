"""Trials become one graph of unique stages: a plan for every search space, and the graph of them all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain

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
        found: dict[str, Stage] = {}
        for target in self.targets:
            collect(target, found)
        return found

    @cached_property
    def per_trial(self) -> tuple[dict[str, Stage], ...]:
        """The unique stages below each trial's last one, itself included."""
        return tuple(collect(target, {}) for target in self.targets)

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
        found: dict[str, Stage] = {}

        def visit(node: Stage) -> None:
            if node.key not in found and not store.has(node.key):
                for parent in node.parents():
                    visit(parent)
                found[node.key] = node

        for target in self.targets:
            if targets is None or target.key in targets:
                visit(target)
        return found


def collect(node: Stage, found: dict[str, Stage]) -> dict[str, Stage]:
    """Add ``node`` and all below it to ``found``, inputs first."""
    if node.key not in found:
        for parent in node.parents():
            collect(parent, found)
        found[node.key] = node
    return found


def dependents(stages: Mapping[str, Stage]) -> dict[str, list[str]]:
    """Keys of the stages that use each stage, within ``stages``."""
    users: dict[str, list[str]] = {key: [] for key in stages}
    for key, node in stages.items():
        for parent in {parent.key for parent in node.parents()} & users.keys():
            users[parent].append(key)
    return users
