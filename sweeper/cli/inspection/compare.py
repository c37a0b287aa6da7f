"""Compare two trials: config, shared stages and where they part, numbers, provenance."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from itertools import zip_longest
from typing import Any

from sweeper.cli.inspection.details import Details, label
from sweeper.planning.text import aligned, shown

Manifest = Mapping[str, Any]


def compare(one: Details, other: Details) -> dict[str, Any]:
    """Return the differences, as ``sweeper diff --json`` prints them: the first trial's value, then the second's."""
    return {
        "trials": [_identity(one), _identity(other)],
        "config": _differing(one.config, other.config),
        "stages": _stages(one, other),
        "facts": _differing(one.facts, other.facts),
        "metrics": {name: _numbers(one.metrics, other.metrics, name) for name in {**one.metrics, **other.metrics}},
        "seconds": [one.seconds, other.seconds, _difference(one.seconds, other.seconds)],
        "made_by": _differing(_made_by(one), _made_by(other)),
    }


def comparison_text(comparison: Mapping[str, Any]) -> str:
    """Format a comparison for a terminal."""
    heads = [
        (mark, each["key"][:12], f"{each['sweep']}/{each['trial']}", each["status"])
        for mark, each in zip("AB", comparison["trials"], strict=True)
    ]
    return "\n".join(
        [
            *aligned(heads),
            *_side_by_side("config", comparison["config"]),
            *_stage_lines(comparison["stages"]),
            *_side_by_side("facts", comparison["facts"]),
            *_number_lines({**comparison["metrics"], "seconds": comparison["seconds"]}),
            *_side_by_side("made by", comparison["made_by"], if_none="the same commit, packages, devices and machines"),
        ]
    )


def _identity(details: Details) -> dict[str, str]:
    trial = details.trial
    return {"sweep": trial.space, "trial": trial.label, "key": trial.target, "status": details.status}


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return both values by name where they differ; None where a trial has no such name."""
    return {
        name: [one.get(name), other.get(name)]
        for name in {**one, **other}
        if name not in one or name not in other or one[name] != other[name]
    }


def _numbers(one: Mapping[str, Any], other: Mapping[str, Any], name: str) -> list[Any]:
    """Return both values and, for numbers, the difference."""
    a, b = one.get(name), other.get(name)
    return [a, b, _difference(a, b) if isinstance(a, int | float) and isinstance(b, int | float) else None]


def _difference(a: float, b: float) -> float:
    """Return the difference without the rounding error of equal sums."""
    return 0.0 if isinstance(a, float) and math.isclose(a, b, rel_tol=1e-12) else b - a


def _made_by(details: Details) -> dict[str, str]:
    """Return commit, sweeper's version, device, machine and packages; several values where its stages differ."""
    counted = {name: details.counted(name) for name in ("commit", "sweeper", "device", "machine")} | details.packages
    return {name: ", ".join(sorted(values)) for name, values in counted.items()}


def _stages(one: Details, other: Details) -> dict[str, Any]:
    shared = one.manifests.keys() & other.manifests.keys()
    lonely = [{key: made for key, made in each.manifests.items() if key not in shared} for each in (one, other)]
    counts = [Counter(label(manifest) for manifest in each.values() if manifest) for each in lonely]
    return {
        "shared": len(shared),
        "only": [len(each) for each in lonely],
        "missing": [sum(not manifest for manifest in each.values()) for each in lonely],
        "parting": _parting(*([each for each in side.values() if each and _inputs(each) <= shared] for side in lonely)),
        "functions": {name: [count[name] for count in counts] for name in {**counts[0], **counts[1]}},
    }


def _inputs(manifest: Manifest) -> set[str]:
    """Return the keys of a stage's inputs."""
    values = manifest["inputs"].values()
    return {key for value in values for key in ([value] if isinstance(value, str) else value)}


def _parting(one: Collection[Manifest], other: Collection[Manifest]) -> list[dict[str, Any]]:
    """Return the stages that are not shared but whose inputs are; those of one function are paired in order.

    Pairs that differ in the same way are one entry with their count.
    """
    found: list[dict[str, Any]] = []
    for function in dict.fromkeys(label(each) for each in [*one, *other]):
        sides = ([each for each in side if label(each) == function] for side in (one, other))
        for a, b in zip_longest(*sides):
            entry = {"function": function, "in": [a is not None, b is not None], "differ": {}}
            if a and b:
                entry["differ"] = _differing(_identifying(a), _identifying(b))
            same = next((each for each in found if {**each, "count": 0} == {**entry, "count": 0}), None)
            if same:
                same["count"] += 1
            else:
                found.append({**entry, "count": 1})
    return found


def _identifying(manifest: Manifest) -> dict[str, Any]:
    """Return the parts of a stage's key, parameters by dotted name."""

    def walk(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
        for name, value in values.items():
            if isinstance(value, dict):
                yield from walk(value, f"{prefix}{name}.")
            else:
                yield f"{prefix}{name}", value

    inputs = {f"input {name}": value for name, value in manifest["inputs"].items()}
    return {"version": manifest["version"], **dict(walk(manifest["params"], "")), **inputs}


def _side_by_side(title: str, values: Mapping[str, Any], if_none: str = "the same") -> list[str]:
    if not values:
        return ["", f"{title}: {if_none}"]
    rows = [("", "A", "B"), *((name, *map(shown, pair)) for name, pair in values.items())]
    return ["", title, *aligned(rows, indent="  ")]


def _stage_lines(stages: Mapping[str, Any]) -> list[str]:
    only, missing = stages["only"], stages["missing"]
    lines = ["", f"stages: {stages['shared']} shared, {only[0]} only in A, {only[1]} only in B"]
    if any(missing):
        lines.append(f"  of these {missing[0]} of A and {missing[1]} of B are missing, and nothing is known of them")
    if stages["parting"]:
        rows = [(each["function"], f"x{each['count']}", _parted(each)) for each in stages["parting"]]
        lines += ["  they part at", *aligned(rows, right=(1,), indent="    ")]
    if stages["functions"]:
        counts = [("", "A", "B"), *((name, str(a), str(b)) for name, (a, b) in stages["functions"].items())]
        lines += ["  not shared, by function", *aligned(counts, right=(1, 2), indent="    ")]
    return lines


def _parted(entry: Mapping[str, Any]) -> str:
    if entry["in"] != [True, True]:
        return f"made only for {'A' if entry['in'][0] else 'B'}"
    return ", ".join(f"{name} {_short(a)} | {_short(b)}" for name, (a, b) in entry["differ"].items())


def _short(value: Any) -> str:
    """Return a value that fits into a line."""
    text = shown(value)
    return text if len(text) <= 24 else f"{text[:21]}..."


def _number_lines(numbers: Mapping[str, list[Any]]) -> list[str]:
    known = {name: each for name, each in numbers.items() if any(isinstance(value, int | float) for value in each)}
    rows = [("", "A", "B", "B - A"), *((name, *(_number(value) for value in each)) for name, each in known.items())]
    return ["", "numbers", *aligned(rows, right=(1, 2, 3), indent="  ")]


def _number(value: Any) -> str:
    return "" if value is None else shown(value)
