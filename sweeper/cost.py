"""Seconds: what a trial's stages took, by part, and what the stages of a sweep take as far as that is known."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from sweeper.plan import Plan
from sweeper.stage import Stage


def costs(plan: Plan, seconds: Mapping[str, float]) -> Iterator[dict[str, float | None]]:
    """The cost columns of each trial, in the order of trials.

    A shared stage was spent by the first trial that has it, and saved by the others. A sum is None where the seconds
    of one of its stages are not known.

    Args:
        plan: the trials.
        seconds: seconds of stages by key.
    """
    trainable = plan.space.trainable
    seen: set[str] = set()
    for stages in plan.per_trial:
        parts = [[key for key, node in stages.items() if node.function.part == part] for part in trainable.parts]
        sums = [total(keys, seconds) for keys in (stages, stages.keys() & seen, *parts)]
        yield dict(zip(trainable.cost_columns, sums, strict=True))
        seen |= stages.keys()


def total(keys: Iterable[str], seconds: Mapping[str, float]) -> float | None:
    """The seconds of some stages, or None where those of one are not known."""
    found = [seconds.get(key) for key in keys]
    known = [each for each in found if each is not None]
    return math.fsum(known) if len(known) == len(found) else None


def estimate(stages: Mapping[str, Stage], measured: Mapping[str, float]) -> dict[str, float]:
    """Seconds of stages by key: as measured, or else at the mean rate of the measured stages of the same function.

    A stage of a function of which no stage was measured is left out.
    """
    work: dict[str, float] = defaultdict(float)
    seconds: dict[str, float] = defaultdict(float)
    for key, each in measured.items():
        work[stages[key].function.name] += stages[key].work
        seconds[stages[key].function.name] += each
    rates = {name: seconds[name] / work[name] for name in work if work[name]}
    scaled = {key: rates[node.function.name] * node.work for key, node in stages.items() if node.function.name in rates}
    return {**scaled, **measured}
