"""Run many small requests concurrently."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

AT_ONCE = 16
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


def all_at_once(function: Callable[[Asked], Answer], items: Iterable[Asked]) -> Iterator[Answer]:
    """Apply a function to many items on several threads, and yield the results in order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(function, items)
