"""Counts of a sweep's trials and stages: total, unique, cached, to run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from sweeper.planning.graph import Graph, Plan, collect
from sweeper.store.base import Store
from sweeper.trainable.source import source_hash

COUNTS = "{name}: {trials:,} trials, {stages:,} stages, {unique:,} unique, {cached:,} cached"


def summarise(graph: Graph, store: Store) -> dict[str, Any]:
    """Count trials and stages: in total, by stage function and by space."""
    return counted(graph, store.manifests(graph.stages), graph.missing(store))


def counted(graph: Graph, manifests: Mapping[str, Mapping[str, Any]], missing: Collection[str]) -> dict[str, Any]:
    """Return the counts of `summarise` from manifests and missing stages that are already read."""
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
        "to_run": len(missing),
        "functions": functions,
        "stale": stale(graph, manifests),
        "spaces": spaces,
    }


def headline(summary: Mapping[str, Any]) -> str:
    """Format the counts as a line, followed by one for each of several spaces, for each search, for the duplicates and
    warnings of a space, and for each stage function whose source has changed."""
    spaces = summary["spaces"]
    several = [space["name"] for space in spaces] != [summary["name"]]
    included = [
        line
        for space in spaces
        for line in [
            *([f"  {COUNTS.format_map(space)}"] if several else []),
            *_searched(space),
            *_left_out(space["duplicates"]),
            *(f"  {warning}" for warning in space["warnings"]),
        ]
    ]
    stale = [f"  cached artifacts of {name} were made by different source code" for name in summary["stale"]]
    return "\n".join([f"{COUNTS}, {{to_run:,}} to run".format_map(summary), *included, *stale])


def stale(graph: Graph, manifests: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the names of stage functions with cached artifacts made by other source code of the same version."""
    made = {(graph.stages[key].function, manifest["source"]) for key, manifest in manifests.items()}
    return sorted({function.name for function, source in made if source != source_hash(function.module)})


def _left_out(duplicates: Sequence[tuple[str, str]]) -> list[str]:
    if not duplicates:
        return []
    dropped, same = duplicates[0]
    counted = f"{len(duplicates):,} duplicate{'s' if len(duplicates) > 1 else ''} left out"
    more = f" and {len(duplicates) - 1:,} more" if len(duplicates) > 1 else ""
    return [f"  {counted}: {dropped} (same config as {same}){more}"]


def _space(plan: Plan, cached: Collection[str]) -> dict[str, Any]:
    return {
        "name": plan.space.name,
        "trials": len(plan.targets),
        "stages": sum(len(stages) for stages in plan.per_trial),
        "unique": len(plan.stages),
        "cached": sum(key in cached for key in plan.stages),
        "duplicates": list(plan.space.duplicates),
        "warnings": list(plan.space.warnings),
        "search": _search(plan),
    }


def _search(plan: Plan) -> dict[str, Any] | None:
    """Return the counts of a search; None for a space without one."""
    searched = plan.space.searched
    if searched is None:
        return None
    start = searched.anchor(searched.points[0])
    stages = [collect(each.origins.attempt(partial(searched.start.trainable.run, each.config)), {}) for each in start]
    return {
        **searched.asked.model_dump(include={"trials", "sampler", "pruner", "objectives", "timeout"}),
        "studies": [point.label for point in searched.points],
        "distributions": searched.told,
        "trials_of_each": len(start),
        "stages_of_each": sum(map(len, stages)),
    }


def _searched(space: Mapping[str, Any]) -> Iterator[str]:
    if search := space["search"]:
        wanted = " and ".join(f"{sense} {name}" for name, sense in search["objectives"].items())
        studies = f", for each of {len(search['studies'])} rows" if len(search["studies"]) > 1 else ""
        pruner = f" and {search['pruner']}" if search["pruner"] else ""
        yield f"  search: {wanted} in {search['trials']:,} suggestions with {search['sampler']}{pruner}{studies}"
