"""Trials become one graph of unique stages: what is cached, what is missing, what is shared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sweeper.provenance import source_hash
from sweeper.space import Space, Trial
from sweeper.stage import Stage
from sweeper.store import Damaged, Store


@dataclass(frozen=True)
class Plan:
    """The last stage of every trial, in the order of the space's trials."""

    space: Space
    targets: tuple[Stage, ...]

    @classmethod
    def of(cls, space: Space) -> Plan:
        """Build every trial's graph. Nothing runs."""
        return cls(space, tuple(space.trainable.run(trial.config) for trial in space.trials))

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

    def missing(self, store: Store) -> dict[str, Stage]:
        """Stages that have to run, inputs first: those not in the store that a missing target needs."""
        found: dict[str, Stage] = {}

        def visit(node: Stage) -> None:
            if node.key not in found and not store.has(node.key):
                for parent in node.parents():
                    visit(parent)
                found[node.key] = node

        for target in self.targets:
            visit(target)
        return found

    def stale(self, store: Store) -> list[str]:
        """Names of stage functions whose cached artifacts were made by other source of the same version."""
        names: set[str] = set()
        for key, node in self.stages.items():
            if node.function.name in names or not store.has(key):
                continue
            try:
                if store.manifest(key)["source"] != source_hash(node.function.module):
                    names.add(node.function.name)
            except (Damaged, KeyError):
                continue
        return sorted(names)

    def summary(self, store: Store) -> dict[str, Any]:
        """Counts and rows, as ``sweeper plan --json`` prints them."""
        cached = {key for key in self.stages if store.has(key)}
        functions: dict[str, dict[str, int]] = {}
        for key, node in self.stages.items():
            counts = functions.setdefault(node.function.label, {"unique": 0, "cached": 0})
            counts["unique"] += 1
            counts["cached"] += key in cached
        return {
            "name": self.space.name,
            "trials": len(self.targets),
            "stages": sum(len(stages) for stages in self.per_trial),
            "unique": len(self.stages),
            "cached": len(cached),
            "to_run": len(self.missing(store)),
            "functions": functions,
            "stale": self.stale(store),
            "rows": [
                {
                    **trial.row,
                    "seed": trial.seed,
                    **trial.facts,
                    "stages": len(stages),
                    "cached": len(stages.keys() & cached),
                }
                for trial, stages in zip(self.space.trials, self.per_trial, strict=True)
            ],
        }


def headline(summary: Mapping[str, Any]) -> str:
    """A plan's counts in one line, and a line for every stage function whose source changed under its version."""
    line = "{name}: {trials} trials, {stages} stages, {unique} unique, {cached} cached, {to_run} to run"
    stale = [f"  cached results of {name} were made by other source code" for name in summary["stale"]]
    return "\n".join([line.format_map(summary), *stale])


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
