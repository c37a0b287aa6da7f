"""What a sweep comes to before it runs: how many stages there are, how many of them are shared, cached, missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sweeper.plan import Graph, Plan
from sweeper.provenance import source_hash
from sweeper.store import Damaged, Store

COUNTS = "{name}: {trials} trials, {stages} stages, {unique} unique, {cached} cached"


def summarise(graph: Graph, store: Store) -> dict[str, Any]:
    """Counts and rows, as ``sweeper plan --json`` prints them."""
    cached = {key for key in graph.stages if store.has(key)}
    spaces = [_space(plan, cached) for plan in graph.plans]
    functions: dict[str, dict[str, int]] = {}
    for key, node in graph.stages.items():
        counts = functions.setdefault(node.function.label, {"unique": 0, "cached": 0})
        counts["unique"] += 1
        counts["cached"] += key in cached
    return {
        "name": graph.name,
        "trials": sum(space["trials"] for space in spaces),
        "stages": sum(space["stages"] for space in spaces),
        "unique": len(graph.stages),
        "cached": len(cached),
        "to_run": len(graph.missing(store)),
        "functions": functions,
        "stale": stale(graph, store),
        "spaces": spaces,
        "rows": [row for plan in graph.plans for row in _rows(plan, cached)],
    }


def headline(summary: Mapping[str, Any]) -> str:
    """The counts in one line, one for each of several spaces, and one for each stage function of changed source."""
    spaces = [f"  {COUNTS.format_map(space)}" for space in summary["spaces"]]
    included = spaces if [space["name"] for space in summary["spaces"]] != [summary["name"]] else []
    stale = [f"  cached results of {name} were made by other source code" for name in summary["stale"]]
    return "\n".join([f"{COUNTS}, {{to_run}} to run".format_map(summary), *included, *stale])


def stale(graph: Graph, store: Store) -> list[str]:
    """Names of stage functions whose cached artifacts were made by other source of the same version."""
    names: set[str] = set()
    for key, node in graph.stages.items():
        if node.function.name in names or not store.has(key):
            continue
        try:
            if store.manifest(key)["source"] != source_hash(node.function.module):
                names.add(node.function.name)
        except (Damaged, KeyError):
            continue
    return sorted(names)


def _space(plan: Plan, cached: set[str]) -> dict[str, Any]:
    return {
        "name": plan.space.name,
        "trials": len(plan.targets),
        "stages": sum(len(stages) for stages in plan.per_trial),
        "unique": len(plan.stages),
        "cached": len(plan.stages.keys() & cached),
    }


def _rows(plan: Plan, cached: set[str]) -> Iterator[dict[str, Any]]:
    for (trial, _), stages in zip(plan.trials(), plan.per_trial, strict=True):
        counts = {"stages": len(stages), "cached": len(stages.keys() & cached)}
        yield {"space": plan.space.name, **trial.row, "seed": trial.seed, **trial.facts, **counts}
