"""Trials become one graph of unique stages: a plan for every search space, and the graph of them all."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import chain
from typing import overload

from sweeper.errors import SweeperError, nearest
from sweeper.space.space import Space, Trial
from sweeper.space.sweep import Sweep
from sweeper.store.base import Store
from sweeper.trainable.resources import Resources
from sweeper.trainable.stage import Stage, StageFunction


@dataclass(eq=False)
class Plan:
    """A search space with its trials and the last stage of each, in order. That of a searched space grows."""

    space: Space
    trials: list[Trial]
    targets: list[Stage]
    pruned: dict[str, str] = field(default_factory=dict)
    """Why a trial was stopped early, by the key of its last stage; that and what only it needs are not to be run."""

    @classmethod
    def of(cls, space: Space) -> Plan:
        """Build every trial's graph. Nothing runs.

        Raises SweeperError for what the experiment refuses and for a stage of no known part.
        """
        plan = cls(space, list(space.trials), [_target(space, trial) for trial in space.trials])
        nodes = [*plan.stages.values(), *plan.starts.values()]
        _check_parts(space, nodes)
        _check_requests(space, nodes)
        _check_objectives(space, nodes)
        return plan

    @cached_property
    def stages(self) -> dict[str, Stage]:
        """Unique stages by key, inputs before what needs them."""
        return {key: node for stages in self.per_trial for key, node in stages.items()}

    @cached_property
    def starts(self) -> dict[str, Stage]:
        """Those of the runs that a search starts from, by key: what it suggests has the same functions."""
        found: dict[str, Stage] = {}
        if searched := self.space.searched:
            for point in searched.points:
                collect(_target(self.space, searched.anchor(point)[0]), found)
        return found

    @cached_property
    def per_trial(self) -> ByKey:
        """The unique stages below each trial's last one, itself included, and those of its steps."""
        return ByKey([tuple(collect(target, {}).values()) for target in self.targets])

    @cached_property
    def by_target(self) -> dict[str, list[int]]:
        """Positions of the trials that end with a stage, by its key."""
        found: dict[str, list[int]] = {}
        for index, target in enumerate(self.targets):
            found.setdefault(target.key, []).append(index)
        return found

    def pairs(self) -> Iterable[tuple[Trial, Stage]]:
        """Trials with their last stages."""
        return zip(self.trials, self.targets, strict=True)

    def resources(self, node: Stage) -> Resources:
        """What a stage asks for in this space."""
        changes = self.space.resources.get(node.function.label)
        return changes.over(node.function.resources) if changes else node.function.resources

    def add(self, trial: Trial, steps: Sequence[Stage]) -> dict[str, Stage]:
        """Take in a trial that was suggested, unless it is there, and return its stages.

        Args:
            trial: the trial.
            steps: the stages that hold its numbers on the way, the last one at the end.
        """
        found: dict[str, Stage] = {}
        for step in steps:
            collect(step, found)
        target = steps[-1]
        known = self.by_target.setdefault(target.key, [])
        if any(self.trials[index].label == trial.label for index in known):
            return found
        _check_parts(self.space, found.values())
        known.append(len(self.trials))
        self.stages.update(found)
        self.per_trial.nodes.append(tuple(found.values()))
        self.trials.append(trial)
        self.targets.append(target)
        return found


@dataclass(eq=False)
class Graph:
    """The stages of a whole sweep, each once, whichever of its spaces need it."""

    name: str
    plans: tuple[Plan, ...]

    @classmethod
    def of(cls, sweep: Sweep) -> Graph:
        """Build every trial's graph. Nothing runs."""
        with _no_collector():
            graph = cls(sweep.name, tuple(Plan.of(space) for space in sweep.spaces))
            _check_names(graph)
            return graph

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

    def add(self, plan: Plan, trial: Trial, steps: Sequence[Stage]) -> None:
        """Take a trial into one of the plans; see `Plan.add`."""
        for key, node in plan.add(trial, steps).items():
            self.stages.setdefault(key, node)
            self.first_space.setdefault(key, plan.space.name)

    def resources(self, node: Stage) -> Resources:
        """What a stage asks for, by the first space that needs it."""
        return self._by_name[self.first_space[node.key]].resources(node)

    @cached_property
    def _by_name(self) -> dict[str, Plan]:
        return {plan.space.name: plan for plan in self.plans}

    def missing(self, store: Store, targets: Collection[str] | None = None) -> dict[str, Stage]:
        """Stages that have to run, inputs first: those not in the store that a missing target needs. A trial that its
        space has stopped early has none.

        Args:
            store: where artifacts are.
            targets: keys of the targets that matter; all by default.
        """
        cached = store.existing(self.stages)
        if not cached and targets is None and not any(plan.space.searched for plan in self.plans):
            return dict(self.stages)
        found: dict[str, Stage] = {}
        for plan in self.plans:
            for target in plan.targets:
                if target.key not in plan.pruned and (targets is None or target.key in targets):
                    collect(target, found, cached)
        return found


@dataclass(frozen=True)
class ByKey(Sequence[dict[str, Stage]]):
    """Stages of many trials, held as tuples, since there are many, and given by key."""

    nodes: list[tuple[Stage, ...]]

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


def _target(space: Space, trial: Trial) -> Stage:
    return trial.origins.attempt(partial(space.trainable.run, trial.config))


def _check_parts(space: Space, nodes: Iterable[Stage]) -> None:
    """Every stage belongs to a declared part: else its seconds would stand in no column. Raises SweeperError."""
    if not space.trainable.declares_parts:
        return
    parts = space.trainable.parts
    for function in {node.function for node in nodes}:
        if function.part not in parts:
            message = f"stage {function.name} belongs to '{function.part}', which is no part of its trainable"
            raise SweeperError(message, fix=nearest(function.part, parts))


def _check_names(graph: Graph) -> None:
    """Check that no two stage functions have one name, which would mix up their artifacts. Raises SweeperError."""
    functions = {node.function for plan in graph.plans for node in (*plan.stages.values(), *plan.starts.values())}
    first: dict[str, StageFunction] = {}
    for function in sorted(functions, key=lambda each: each.location):
        other = first.setdefault(function.name, function)
        if other is not function:
            message = f"two stages are named '{function.name}': {other.location} and {function.location}"
            raise SweeperError(message, fix="name one of them: @stage(name=...)")


def _check_requests(space: Space, nodes: Iterable[Stage]) -> None:
    """Every request of the space is one for a stage. Raises SweeperError."""
    known = {node.function.label for node in nodes}
    for label in space.resources:
        if label not in known:
            where = space.where("resources", label, key=True)
            raise SweeperError(f"resources: no stage is called '{label}'", fix=nearest(label, known), where=where)


def _check_objectives(space: Space, nodes: Iterable[Stage]) -> None:
    """Every objective that runs are to measure is reported by a stage of theirs. Raises SweeperError."""
    objectives = space.searched.asked.objectives if space.searched else {}
    reported = {name for node in nodes for name in node.reports}
    for name in objectives:
        if name in space.trainable.metrics and name not in reported:
            where = space.where("search", "objectives", name, key=True)
            fix = f"they report {', '.join(sorted(reported))}" if reported else "declare it: @stage(reports=...)"
            raise SweeperError(f"no stage of the runs reports the objective '{name}'", fix=fix, where=where)


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
