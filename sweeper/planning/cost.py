"""Costs of trials from measured stages, and estimated seconds of the stages of a sweep."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from sweeper.trainable.stage import Stage
from sweeper.trainable.trainable import Trainable

G = TypeVar("G", bound=Hashable)


def costs(
    trainable: Trainable, trials: Iterable[Mapping[str, Stage]], manifests: Mapping[str, Mapping[str, Any]]
) -> Iterator[dict[str, float | None]]:
    """Yield the cost columns of each trial, in the order of trials.

    A shared stage counts as spent by the first trial that has it, and as saved by the others. A number is None if it
    is unknown for one of the trial's stages.

    Args:
        trainable: the trainable of the trials.
        trials: the stages of each trial by key.
        manifests: manifests of finished stages by key.
    """
    seconds = {key: float(manifest["seconds"]) for key, manifest in manifests.items()}
    hours = {key: _gpu_hours(manifest) for key, manifest in manifests.items()}
    peaks = {key: manifest.get("peak_memory") for key, manifest in manifests.items()}
    seen: set[str] = set()
    for stages in trials:
        parts = [[key for key, node in stages.items() if node.function.part == part] for part in trainable.parts]
        saved = total(stages.keys() & seen, seconds)
        sums = [total(stages, seconds), saved, total(stages, hours), _largest(stages, peaks)]
        yield dict(zip(trainable.costs, [*sums, *(total(keys, seconds) for keys in parts)], strict=True))
        seen |= stages.keys()


def _gpu_hours(manifest: Mapping[str, Any]) -> float | None:
    if manifest["device"] == "cpu":
        return 0.0
    return manifest["seconds"] / 3600 * manifest["gpus"] if "gpus" in manifest else None


def _largest(keys: Iterable[str], bytes_of: Mapping[str, int | None]) -> float | None:
    """Return the largest in MiB, or None if one is unknown."""
    found = [bytes_of.get(key) for key in keys]
    known = [each for each in found if each is not None]
    return max(known) / 2**20 if known and len(known) == len(found) else None


def total(keys: Iterable[str], seconds: Mapping[str, float] | Mapping[str, float | None]) -> float | None:
    """Return the sum over some stages, or None if one is unknown."""
    found = [seconds.get(key) for key in keys]
    known = [each for each in found if each is not None]
    return math.fsum(known) if len(known) == len(found) else None


@dataclass(frozen=True)
class Estimates:
    """Seconds of stages by key, in one mapping per basis; a stage in none of them is unknown."""

    measured: Mapping[str, float]
    """Measured when the stage ran."""
    scaled: Mapping[str, float]
    """Scaled by work from measured stages of the same function on the same device."""
    counted: Mapping[str, float]
    """Computed from counted work, at the mean rate of all measured stages with counted work on the same device."""

    @cached_property
    def seconds(self) -> dict[str, float]:
        """All known seconds by key."""
        return {**self.measured, **self.scaled, **self.counted}


def estimate(stages: Mapping[str, Stage], devices: Mapping[str, str], measured: Mapping[str, float]) -> Estimates:
    """Estimate the seconds of stages from those of them that were measured.

    Args:
        stages: the stages by key.
        devices: the torch device that each was measured on, or is expected to run on.
        measured: seconds of measured stages.
    """
    groups = {key: (node.function.name, devices[key]) for key, node in stages.items()}
    rates = _rates(stages, measured, groups)
    scaled = {key: rates[groups[key]] * node.work for key, node in stages.items() if groups[key] in rates}
    devices = {key: device for key, device in devices.items() if stages[key].function.counts_work}
    mean = _rates(stages, {key: measured[key] for key in measured.keys() & devices.keys()}, devices)
    counted = {key: mean[each] * stages[key].work for key, each in devices.items() if each in mean}
    return Estimates(
        measured,
        {key: each for key, each in scaled.items() if key not in measured},
        {key: each for key, each in counted.items() if key not in measured and key not in scaled},
    )


def _rates(stages: Mapping[str, Stage], measured: Mapping[str, float], group: Mapping[str, G]) -> dict[G, float]:
    """Return the seconds per unit of work of every group with measured stages."""
    work: dict[G, float] = defaultdict(float)
    seconds: dict[G, float] = defaultdict(float)
    for key, each in measured.items():
        work[group[key]] += stages[key].work
        seconds[group[key]] += each
    return {each: seconds[each] / work[each] for each in work if work[each]}
