"""Simulate how long tasks take on a number of slots: list scheduling, the longest remaining path first."""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """A task that occupies slots for some time, once the tasks it waits for are done."""

    seconds: float
    slots: int
    waits_for: Collection[str]
    """Names of other tasks, each once."""


def makespan(tasks: Mapping[str, Task], slots: int) -> float:
    """Return the seconds until all tasks are done. Each task must come after those it waits for.

    A task that requests more slots than exist takes all. Whenever slots are free, the ready task that fits and has the
    longest remaining path starts.
    """
    path, users = remaining_path(tasks), _users(tasks)
    waits = {name: len(task.waits_for) for name, task in tasks.items()}
    size = {name: min(task.slots, slots) for name, task in tasks.items()}
    order = {name: index for index, name in enumerate(tasks)}
    ready: defaultdict[int, list[tuple[float, int, str]]] = defaultdict(list)  # a heap for every number of slots
    running: list[tuple[float, str]] = []

    def push(name: str) -> None:
        heapq.heappush(ready[size[name]], (-path[name], order[name], name))

    for name in tasks:
        if not waits[name]:
            push(name)
    now = 0.0
    while True:
        while fitting := [heap[0] for each, heap in ready.items() if heap and each <= slots]:
            name = min(fitting)[2]
            heapq.heappop(ready[size[name]])
            slots -= size[name]
            heapq.heappush(running, (now + tasks[name].seconds, name))
        if not running:
            return now
        now = running[0][0]
        while running and running[0][0] <= now:
            name = heapq.heappop(running)[1]
            slots += size[name]
            for user in users[name]:
                waits[user] -= 1
                if not waits[user]:
                    push(user)


def remaining_path(tasks: Mapping[str, Task]) -> dict[str, float]:
    """Return the seconds of the longest path from each task, itself included, to one that nothing waits for."""
    path = dict.fromkeys(tasks, 0.0)
    for name in reversed(list(tasks)):
        path[name] += tasks[name].seconds
        for other in tasks[name].waits_for:
            path[other] = max(path[other], path[name])
    return path


def critical_path(tasks: Mapping[str, Task]) -> float:
    """Return the seconds on an unlimited number of slots."""
    return max(remaining_path(tasks).values(), default=0.0)


def slot_seconds(tasks: Mapping[str, Task]) -> float:
    """Return the sum of seconds times slots over all tasks."""
    return math.fsum(task.seconds * task.slots for task in tasks.values())


def _users(tasks: Mapping[str, Task]) -> dict[str, list[str]]:
    users: dict[str, list[str]] = {name: [] for name in tasks}
    for name, task in tasks.items():
        for other in task.waits_for:
            users[other].append(name)
    return users
