"""What a sweep comes to: how many stages there are and their seconds, how many are shared, cached, missing."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sweeper.cost import estimate, total
from sweeper.plan import Graph, Plan
from sweeper.provenance import source_hash
from sweeper.store import Store

COUNTS = "{name}: {trials:,} trials, {stages:,} stages, {unique:,} unique, {cached:,} cached"


def summarise(graph: Graph, store: Store) -> dict[str, Any]:
    """Counts, seconds and rows, as ``sweeper plan --json`` prints them."""
    manifests = store.manifests(graph.stages)
    measured = {key: manifest["seconds"] for key, manifest in manifests.items()}
    seconds = estimate(graph.stages, measured)
    spaces = [_space(plan, manifests) for plan in graph.plans]
    functions: dict[str, dict[str, int]] = {}
    for key, node in graph.stages.items():
        counts = functions.setdefault(node.function.label, {"unique": 0, "cached": 0})
        counts["unique"] += 1
        counts["cached"] += key in manifests
    return {
        "name": graph.name,
        "trials": sum(space["trials"] for space in spaces),
        "stages": sum(space["stages"] for space in spaces),
        "unique": len(graph.stages),
        "cached": len(manifests),
        "to_run": len(graph.missing(store)),
        "seconds": _seconds(graph, seconds, len(measured)),
        "functions": functions,
        "stale": stale(graph, manifests),
        "spaces": spaces,
        "rows": [row for plan in graph.plans for row in _rows(plan, manifests, seconds)],
    }


def headline(summary: Mapping[str, Any]) -> str:
    """The counts in one line, one for each of several spaces, and one for each stage function of changed source."""
    spaces = [f"  {COUNTS.format_map(space)}" for space in summary["spaces"]]
    included = spaces if [space["name"] for space in summary["spaces"]] != [summary["name"]] else []
    stale = [f"  cached results of {name} were made by other source code" for name in summary["stale"]]
    return "\n".join([f"{COUNTS}, {{to_run:,}} to run".format_map(summary), *included, *stale])


def savings(summary: Mapping[str, Any]) -> str:
    """What sharing saves in seconds, and how far they are known."""
    apart, shared = f"one run per trial: {summary['stages']:,} stages", f"shared: {summary['unique']:,} stages"
    seconds = summary["seconds"]
    if seconds["unknown_stages"] == summary["unique"]:
        return f"  {apart}; {shared}; their seconds are known once some have run"
    alone, once = seconds["one_run_per_trial"], seconds["shared"]
    saved = 100 * (1 - once / alone) if alone else 0
    basis = (
        "seconds measured for {measured_stages:,} stages, scaled from measured ones of the same function for "
        "{scaled_stages:,}, unknown for {unknown_stages:,}"
    ).format_map(seconds)
    known = "; the sums are of the known ones only" if seconds["unknown_stages"] else ""
    return f"  {apart}, {alone:,.0f} s; {shared}, {once:,.0f} s; saved: {saved:.0f} % of the seconds\n  {basis}{known}"


def stale(graph: Graph, manifests: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Names of stage functions whose cached artifacts were made by other source of the same version."""
    made = {(graph.stages[key].function, manifest["source"]) for key, manifest in manifests.items()}
    return sorted({function.name for function, source in made if source != source_hash(function.module)})


def _seconds(graph: Graph, seconds: Mapping[str, float], measured: int) -> dict[str, float]:
    """Those of one run per trial and of every stage once, of the known ones, and how many are known."""
    trials = [stages for plan in graph.plans for stages in plan.per_trial]
    return {
        "one_run_per_trial": math.fsum(seconds.get(key, 0.0) for stages in trials for key in stages),
        "shared": math.fsum(seconds.values()),
        "measured_stages": measured,
        "scaled_stages": len(seconds) - measured,
        "unknown_stages": len(graph.stages) - len(seconds),
    }


def _space(plan: Plan, cached: Collection[str]) -> dict[str, Any]:
    return {
        "name": plan.space.name,
        "trials": len(plan.targets),
        "stages": sum(len(stages) for stages in plan.per_trial),
        "unique": len(plan.stages),
        "cached": sum(key in cached for key in plan.stages),
    }


def _rows(plan: Plan, cached: Collection[str], seconds: Mapping[str, float]) -> Iterator[dict[str, Any]]:
    for (trial, _), stages in zip(plan.trials(), plan.per_trial, strict=True):
        counts = {
            "stages": len(stages),
            "cached": sum(key in cached for key in stages),
            "seconds": total(stages, seconds),
        }
        yield {"space": plan.space.name, **trial.row, "seed": trial.seed, **trial.facts, **counts}
