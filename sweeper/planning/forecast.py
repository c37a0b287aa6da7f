"""Forecast what a sweep takes and what sharing saves: seconds, time on the available slots, core- and GPU-hours, disk.

A number that no measurement supports is None, and shown as unknown.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sweeper.planning.cost import Estimates, estimate, total
from sweeper.planning.counts import counted
from sweeper.planning.graph import Graph
from sweeper.planning.makespan import Task, critical_path, makespan, slot_seconds
from sweeper.planning.sharing import Sharing
from sweeper.store.base import Store
from sweeper.trainable.resources import Resources
from sweeper.trainable.stage import Stage

SECONDS_PER_HOUR = 3600
BASES = ("measured", "scaled", "counted")


@dataclass(frozen=True)
class Forecast:
    """A sweep's graph with the state of its store; `as_json` returns all numbers."""

    graph: Graph
    manifests: Mapping[str, Mapping[str, Any]]
    """Manifests of cached stages by key."""
    missing: Mapping[str, Stage]
    """Stages that have to run, inputs first."""
    slots: int

    @classmethod
    def of(cls, graph: Graph, store: Store, slots: int) -> Forecast:
        """Read every manifest of the sweep once."""
        return cls(graph, store.manifests(graph.stages), graph.missing(store), slots)

    @cached_property
    def sharing(self) -> Sharing:
        """The stages that rows share."""
        return Sharing.of(self.graph)

    @cached_property
    def estimates(self) -> Estimates:
        """Estimated seconds of stages."""
        measured = {key: manifest["seconds"] for key, manifest in self.manifests.items()}
        return estimate(self.graph.stages, self._devices, measured)

    def as_json(self) -> dict[str, Any]:
        """Return the counts of `sweeper.planning.counts.summarise` and all other content of ``sweeper plan``."""
        counts = counted(self.graph, self.manifests, self.missing)
        functions = {label: {**counts["functions"][label], **more} for label, more in self._functions().items()}
        return {
            **counts,
            "functions": functions,
            "seconds": self._seconds(),
            "expected": self._expected(),
            "saved": self._saved(),
            "disk": self._disk(),
            "rows": list(self._rows()),
            "groups": [
                {"rows": [self.sharing.labels[index] for index in rows], "stages": stages}
                for rows, stages in self.sharing.groups.items()
            ],
        }

    @cached_property
    def _requests(self) -> dict[str, Resources]:
        return {key: self.graph.resources(node) for key, node in self.graph.stages.items()}

    @cached_property
    def _devices(self) -> dict[str, str]:
        """The devices of stages. One that has not run is assumed to use a GPU if it requests one and others had one."""
        gpus = self._gpus_measured
        expected = {key: "cuda" if gpus and request.gpus else "cpu" for key, request in self._requests.items()}
        return {**expected, **{key: manifest["device"] for key, manifest in self.manifests.items()}}

    @property
    def _gpus_measured(self) -> bool:
        return any(manifest["device"] == "cuda" for manifest in self.manifests.values())

    def _functions(self) -> dict[str, dict[str, Any]]:
        """Return by label: the stages to run, the sum of known seconds, and the number of stages per basis."""
        found: dict[str, dict[str, Any]] = {}
        zero = {"to_run": 0, "seconds": 0.0, **dict.fromkeys((*BASES, "unknown"), 0)}
        known = self.estimates.seconds
        basis = {key: name for name in BASES for key in getattr(self.estimates, name)}
        for key, node in self.graph.stages.items():
            counts = found.setdefault(node.function.label, dict(zero))
            counts["to_run"] += key in self.missing
            counts["seconds"] += known.get(key, 0.0)
            counts[basis.get(key, "unknown")] += 1
        return found

    def _seconds(self) -> dict[str, Any]:
        """Return known seconds of one run per trial and of every stage once, and the number of stages per basis."""
        known = self.estimates.seconds
        return {
            "one_run_per_trial": math.fsum(known[key] * uses for key, uses in self._uses.items() if key in known),
            "shared": math.fsum(known.values()),
            **{f"{basis}_stages": len(getattr(self.estimates, basis)) for basis in BASES},
            "unknown_stages": len(self.graph.stages) - len(known),
        }

    def _expected(self) -> dict[str, Any]:
        """Return the expected seconds until the end. Stages of unknown seconds count as 0, and are reported."""
        known = self.estimates.seconds
        tasks = {
            key: Task(
                known.get(key, 0.0),
                self._requests[key].cpus,
                {parent.key for parent in node.parents()} & self.missing.keys(),
            )
            for key, node in self.missing.items()
        }
        unknown = len(self.missing.keys() - known.keys())
        told = unknown < len(tasks) or not tasks
        return {
            "slots": self.slots,
            "makespan": makespan(tasks, self.slots) if told else None,
            "critical_path": critical_path(tasks) if told else None,
            "work": slot_seconds(tasks) if told else None,
            "unknown_stages": unknown,
        }

    @cached_property
    def _uses(self) -> Counter[str]:
        """The number of trials that need each stage."""
        return Counter(key for plan in self.graph.plans for stages in plan.per_trial for key in stages)

    def _saved(self) -> dict[str, float | None]:
        """Return savings over one run per trial, of known stages. GPU-hours are None if no GPU was measured."""
        spared = {key: each * (self._uses[key] - 1) for key, each in self.estimates.seconds.items()}
        cores = math.fsum(each * self._requests[key].cpus for key, each in spared.items())
        on_gpus = {key: each for key, each in spared.items() if self._devices[key] == "cuda"}
        gpus = math.fsum(each * self._requests[key].gpus for key, each in on_gpus.items())
        return {
            "seconds": math.fsum(spared.values()) if spared else None,
            "core_hours": cores / SECONDS_PER_HOUR if spared else None,
            "gpu_hours": gpus / SECONDS_PER_HOUR if self._gpus_measured else None,
        }

    def _disk(self) -> dict[str, int]:
        """Return the bytes of cached artifacts, and of missing ones at the mean of their function."""
        sizes: dict[str, list[int]] = defaultdict(list)
        for key, manifest in self.manifests.items():
            sizes[self.graph.stages[key].function.name].append(sum(file["size"] for file in manifest["files"].values()))
        names = Counter(node.function.name for node in self.missing.values())
        return {
            "bytes_here": sum(map(sum, sizes.values())),
            "bytes_to_come": sum(round(n * _mean(sizes[name])) for name, n in names.items() if name in sizes),
            "unknown_stages": sum(n for name, n in names.items() if name not in sizes),
        }

    def _rows(self) -> Iterator[dict[str, Any]]:
        groups = {rows: index for index, rows in enumerate(self.sharing.groups)}
        for index, row in enumerate(self.sharing.rows):
            first = row.trials[0]
            yield {
                "space": row.space,
                "label": self.sharing.labels[index],
                **first.row,
                "seeds": [trial.seed for trial in row.trials],
                **first.facts,
                "stages": len(row.stages),
                "cached": sum(key in self.manifests for key in row.stages),
                "to_run": sum(key in self.missing for key in row.stages),
                "own": self.sharing.own(index),
                "shared": [
                    {"group": groups[rows], "stages": self.sharing.groups[rows]} for rows in self.sharing.shared(index)
                ],
                "seconds": total(row.stages, self.estimates.seconds),
            }


def _mean(values: Iterable[int]) -> float:
    found = list(values)
    return sum(found) / len(found)
