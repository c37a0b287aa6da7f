"""Class-incremental task streams."""

from __future__ import annotations

import random
from typing import TypeAlias

from pydantic import Field

from trainables.common.settings import Settings

TaskStream: TypeAlias = tuple[tuple[int, ...], ...]
"""The classes of every task."""


class Tasks(Settings):
    """The order in which classes arrive."""

    first: int = Field(description="classes in the first task", ge=1)
    later: int = Field(description="classes in every later task", ge=1)


def task_stream(classes: int, tasks: Tasks, order_seed: int | None) -> TaskStream:
    """Return the classes of every task, ascending within a task.

    The order depends on ``order_seed`` alone; None keeps the data set's own order.
    """
    order = list(range(classes))
    if order_seed is not None:
        random.Random(order_seed).shuffle(order)  # noqa: S311  no secret
    starts = [0, *range(tasks.first, classes, tasks.later)]
    return tuple(tuple(sorted(order[start:end])) for start, end in zip(starts, [*starts[1:], classes], strict=True))
