"""The graph of unique stages: a plan for every search space, and one graph of them all."""

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
    """A search space with its trials and the last stage of each, in order. A searched space gains trials as it runs."""

    space: Space
    trials: list[Trial]
    targets: list[Stage]
    pruned: dict[str, str] = field(default_factory=dict)
    """Why a trial was stopped early, by the key of its last stage; stages that only it needs are not run."""

    @classmethod
    def of(cls, space: Space) -> Plan:
        """Build every trial's graph, without running anything.

        Raises SweeperError for a config that the experiment rejects, and for a stage of an undeclared part.
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
        """Unique stages of the runs at a search's points, by key: suggested trials have the same stage functions."""
        found: dict[str, Stage] = {}
        if searched := self.space.searched:
            for point in searched.points:
                collect(_target(self.space, searched.anchor(point)[0]), found)
        return found

    @cached_property
    def per_trial(self) -> ByKey:
        """The unique stages of each trial: its last one, those of its steps, and all that they depend on."""
        return ByKey([tuple(collect(target, {}).values()) for target in self.targets])

    @cached_property
    def by_target(self) -> dict[str, list[int]]:
        """Indices of the trials that end with a stage, by its key."""
        found: dict[str, list[int]] = {}
        for index, target in enumerate(self.targets):
            found.setdefault(target.key, []).append(index)
        return found

    def pairs(self) -> Iterable[tuple[Trial, Stage]]:
        """Return the trials, each with its last stage."""
        return zip(self.trials, self.targets, strict=True)

    def resources(self, node: Stage) -> Resources:
        """Return the resources that a stage requests in this space."""
        changes = self.space.resources.get(node.function.label)
        return changes.over(node.function.resources) if changes else node.function.resources

    def add(self, trial: Trial, steps: Sequence[Stage]) -> dict[str, Stage]:
        """Add a suggested trial, unless it is already present, and return its stages.

        Args:
            trial: the trial.
            steps: the stages that hold its intermediate numbers, its last stage at the end.
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
    """The stages of a whole sweep, each once, even if several spaces need it."""

    name: str
    plans: tuple[Plan, ...]

    @classmethod
    def of(cls, sweep: Sweep) -> Graph:
        """Build every trial's graph, without running anything. Raises SweeperError, see `Plan.of`."""
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
        """Add a trial to one of the plans; see `Plan.add`."""
        for key, node in plan.add(trial, steps).items():
            self.stages.setdefault(key, node)
            self.first_space.setdefault(key, plan.space.name)

    def resources(self, node: Stage) -> Resources:
        """Return the resources that a stage requests in the first space that needs it."""
        return self._by_name[self.first_space[node.key]].resources(node)

    @cached_property
    def _by_name(self) -> dict[str, Plan]:
        return {plan.space.name: plan for plan in self.plans}

    def missing(self, store: Store, targets: Collection[str] | None = None) -> dict[str, Stage]:
        """Return the stages that have to run, inputs first: those not in the store that a missing target needs.

        A trial that was stopped early needs none.

        Args:
            store: the store of the artifacts.
            targets: keys of the targets to consider; all by default.
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
    """The stages of many trials, each as a mapping by key; stored as tuples to save memory."""

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
    """Add ``target`` and its ancestors to ``found``, inputs first, except cached stages and those only they need."""
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
    """Check that every stage has a declared part, or its seconds would be in no column. Raises SweeperError."""
    if not space.trainable.declares_parts:
        return
    parts = space.trainable.parts
    for function in {node.function for node in nodes}:
        if function.part not in parts:
            message = f"stage {function.name} has part '{function.part}', which its trainable does not declare"
            raise SweeperError(message, fix=nearest(function.part, parts))


def _check_names(graph: Graph) -> None:
    """Check that no two stage functions share a name, which would mix up their artifacts. Raises SweeperError."""
    functions = {node.function for plan in graph.plans for node in (*plan.stages.values(), *plan.starts.values())}
    first: dict[str, StageFunction] = {}
    for function in sorted(functions, key=lambda each: each.location):
        other = first.setdefault(function.name, function)
        if other is not function:
            message = f"two stages are named '{function.name}': {other.location} and {function.location}"
            raise SweeperError(message, fix="rename one of them: @stage(name=...)")


def _check_requests(space: Space, nodes: Iterable[Stage]) -> None:
    """Check that the space's resource requests are for existing stages. Raises SweeperError."""
    known = {node.function.label for node in nodes}
    for label in space.resources:
        if label not in known:
            where = space.where("resources", label, key=True)
            raise SweeperError(f"resources: unknown stage '{label}'", fix=nearest(label, known), where=where)


def _check_objectives(space: Space, nodes: Iterable[Stage]) -> None:
    """Check that every objective that is a metric is reported by a stage. Raises SweeperError."""
    objectives = space.searched.asked.objectives if space.searched else {}
    reported = {name for node in nodes for name in node.reports}
    for name in objectives:
        if name in space.trainable.metrics and name not in reported:
            where = space.where("search", "objectives", name, key=True)
            fix = "declare it: @stage(reports=...)"
            if reported:
                fix = f"use a reported metric: {', '.join(sorted(reported))}"
            raise SweeperError(f"no stage reports the objective '{name}'", fix=fix, where=where)


@contextlib.contextmanager
def _no_collector() -> Iterator[None]:
    """Disable garbage collection: stages form no cycles, but collecting so many would take a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
