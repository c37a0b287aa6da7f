"""Seconds: what a trial's stages took, in all and by part."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from sweeper.plan import Plan


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
        sums = [_sum(keys, seconds) for keys in (stages, stages.keys() & seen, *parts)]
        yield dict(zip(trainable.cost_columns, sums, strict=True))
        seen |= stages.keys()


def _sum(keys: Iterable[str], seconds: Mapping[str, float]) -> float | None:
    found = [seconds.get(key) for key in keys]
    known = [each for each in found if each is not None]
    return math.fsum(known) if len(known) == len(found) else None
