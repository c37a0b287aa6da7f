"""Seconds: what a trial's stages took, by part, and what the stages of a sweep take as far as that is known."""

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
    """The cost columns of each trial, in the order of trials.

    A shared stage was spent by the first trial that has it, and saved by the others. A number is None where that of
    one of its stages is not known.

    Args:
        trainable: what was run.
        trials: the stages of each by key.
        manifests: of stages that are done, by key.
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
    """In MiB, or None where that of one is not known."""
    found = [bytes_of.get(key) for key in keys]
    known = [each for each in found if each is not None]
    return max(known) / 2**20 if known and len(known) == len(found) else None


def total(keys: Iterable[str], seconds: Mapping[str, float] | Mapping[str, float | None]) -> float | None:
    """The seconds, or hours, of some stages, or None where those of one are not known."""
    found = [seconds.get(key) for key in keys]
    known = [each for each in found if each is not None]
    return math.fsum(known) if len(known) == len(found) else None


@dataclass(frozen=True)
class Estimates:
    """Seconds of stages by key, in one mapping for each way to know them; a stage in none is unknown."""

    measured: Mapping[str, float]
    """Of the very stage."""
    scaled: Mapping[str, float]
    """By work, from measured stages of the same function on the same device."""
    counted: Mapping[str, float]
    """By work, at the mean rate of all measured stages on the same device whose work is counted."""

    @cached_property
    def seconds(self) -> dict[str, float]:
        """All that are known."""
        return {**self.measured, **self.scaled, **self.counted}


def estimate(stages: Mapping[str, Stage], devices: Mapping[str, str], measured: Mapping[str, float]) -> Estimates:
    """Seconds of stages as far as they are known from the measured ones among them.

    Args:
        stages: the stages by key.
        devices: torch device that each was measured on, or is to run on.
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
    """Seconds per unit of work of every group that has measured stages."""
    work: dict[G, float] = defaultdict(float)
    seconds: dict[G, float] = defaultdict(float)
    for key, each in measured.items():
        work[group[key]] += stages[key].work
        seconds[group[key]] += each
    return {each: seconds[each] / work[each] for each in work if work[each]}
