"""Observers that take their time."""

import threading

import pytest

from sweeper.engine.observers import BackgroundObserver
from sweeper.planning.graph import Graph
from sweeper.trainable.stage import Stage


class Slow:
    """Says nothing until it may."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.told: list[tuple[str, str | None]] = []

    def ended(self, node: Stage, failure: str | None) -> None:
        assert self.may.wait(10)
        self.told.append((node.key, failure))


def test_nobody_waits_for_an_observer_and_it_is_told_everything_in_order(graph: Graph) -> None:
    slow, nodes = Slow(), list(graph.stages.values())
    with BackgroundObserver([slow]) as background:
        for node in nodes:
            background.ended(node, None)
        background.ended(nodes[0], "bad")
        assert slow.told == []
        slow.may.set()
    assert slow.told == [*((node.key, None) for node in nodes), (nodes[0].key, "bad")]


def test_what_an_observer_raises_is_not_lost(graph: Graph) -> None:
    class Broken(Slow):
        def ended(self, node: Stage, failure: str | None) -> None:
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"), BackgroundObserver([Broken()]) as background:
        background.ended(next(iter(graph.stages.values())), None)
