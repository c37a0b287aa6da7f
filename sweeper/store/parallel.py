"""Many small requests, several at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

AT_ONCE = 16
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


def all_at_once(function: Callable[[Asked], Answer], items: Iterable[Asked]) -> Iterator[Answer]:
    """What a function returns of many items, in order, asked for by several threads."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(function, items)
