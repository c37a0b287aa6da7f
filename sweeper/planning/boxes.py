"""The graph of a sweep, collapsed: one box for the stages of a function at the same depth, used by the same rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sweeper.planning.cost import total
from sweeper.planning.forecast import Forecast
from sweeper.planning.sharing import Rows, Sharing
from sweeper.trainable.stage import Stage

MAX_BOXES = 100
SWEEPS = 6
"""Passes over all columns, each of which orders their boxes by the neighbours."""

Cell = tuple[str, int]
"""The label of a stage function and a depth, which is the number of stages on the longest path to it."""
Column = list[int]
"""Indices of boxes from top to bottom."""


@dataclass(frozen=True)
class Box:
    """A group of stages drawn as one."""

    function: str
    depth: int
    words: str
    """The rows that use its stages, such as ``all 11 rows``."""
    rows: Rows
    """Indices of the rows that use any of its stages."""
    cached: int
    to_run: int
    stages: int
    seconds: float | None
    """Seconds of all its stages; None if those of one are unknown."""

    @property
    def state(self) -> str:
        """``cached``, ``to-run``, ``idle`` (neither cached nor needed) or ``mixed``."""
        states = {"cached": self.cached, "to-run": self.to_run, "idle": self.stages - self.cached - self.to_run}
        return next((state for state, count in states.items() if count == self.stages), "mixed")


@dataclass(frozen=True)
class Boxes:
    """Boxes, and the edges between them: counts of stages of one that need a stage of another, by their indices."""

    boxes: Sequence[Box]
    edges: Mapping[tuple[int, int], int]

    @classmethod
    def of(cls, forecast: Forecast, most: int = MAX_BOXES) -> Boxes:
        """Collapse a sweep's graph into about ``most`` boxes, or one for every function and depth if these are more."""
        stages, sharing = forecast.graph.stages, forecast.sharing
        cells = _cells(stages)
        coarse = _coarseness(cells, sharing, most)
        members: dict[tuple[Cell, Hashable], list[str]] = defaultdict(list)
        place = {key: (cell, coarse[cell](sharing.users[key])) for key, cell in cells.items()}
        for key, where in place.items():
            members[where].append(key)
        index = {where: number for number, where in enumerate(members)}
        edges = Counter(
            (index[place[parent.key]], index[place[key]]) for key, node in stages.items() for parent in node.parents()
        )
        return cls([_box(where[0], keys, forecast) for where, keys in members.items()], edges)

    def columns(self) -> list[Column]:
        """Return the boxes by depth, ordered so that connected ones are close."""
        columns: list[Column] = [[] for _ in range(1 + max(box.depth for box in self.boxes))]
        for index, box in enumerate(self.boxes):
            columns[box.depth].append(index)
        before, after = defaultdict(list), defaultdict(list)
        for first, second in self.edges:
            before[second].append(first)
            after[first].append(second)
        for sweep in range(SWEEPS):
            near = after if sweep % 2 else before
            for column in reversed(columns) if sweep % 2 else columns:
                height = _heights(columns)
                column.sort(key=lambda box: _mean([height[each] for each in near[box]], height[box]))
        return columns


def _cells(stages: Mapping[str, Stage]) -> dict[str, Cell]:
    depth: dict[str, int] = {}
    for key, node in stages.items():
        depth[key] = 1 + max((depth[parent.key] for parent in node.parents()), default=-1)
    return {key: (node.function.label, depth[key]) for key, node in stages.items()}


def _coarseness(cells: Mapping[str, Cell], sharing: Sharing, most: int) -> dict[Cell, Callable[[Rows], Hashable]]:
    """Choose for each cell by what boxes are split: a stage's rows or, if there are too many boxes, only the number of
    rows, or nothing.

    Cells with most boxes are made coarser first.
    """
    sets: dict[Cell, set[Rows]] = defaultdict(set)
    for key, cell in cells.items():
        sets[cell].add(sharing.users[key])
    coarse: dict[Cell, Callable[[Rows], Hashable]] = dict.fromkeys(sets, tuple)
    boxes = {cell: len(found) for cell, found in sets.items()}
    for level in (len, lambda rows: None):
        for cell in sorted(sets, key=lambda cell: -boxes[cell]):
            if sum(boxes.values()) <= most:
                return coarse
            coarse[cell] = level
            boxes[cell] = len({level(rows) for rows in sets[cell]})
    return coarse


def _box(cell: Cell, keys: Sequence[str], forecast: Forecast) -> Box:
    sharing = forecast.sharing
    sets = {sharing.users[key] for key in keys}
    rows = tuple(sorted(set().union(*sets)))
    sizes = sorted({len(each) for each in sets})
    words = sharing.names(rows)
    if len(sets) > 1:
        words += f", {sizes[0]} each" if len(sizes) == 1 else f", {sizes[0]}-{sizes[-1]} each"
    return Box(
        *cell,
        words,
        rows,
        cached=sum(key in forecast.manifests for key in keys),
        to_run=sum(key in forecast.missing for key in keys),
        stages=len(keys),
        seconds=total(keys, forecast.estimates.seconds),
    )


def _heights(columns: Iterable[Column]) -> dict[int, float]:
    """Return the relative height of every box, from 0 at the top of its column to 1."""
    return {box: (place + 0.5) / len(column) for column in columns for place, box in enumerate(column)}


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
