"""Repeats: config fields, such as seeds or folds, whose values every row is run with and averaged over."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sweeper.errors import SweeperError, nearest
from sweeper.space.document import Document
from sweeper.space.schema import SpaceFile

SEED = "seed"
"""The config field that ``seeds`` sets; every config has it."""


@dataclass(frozen=True)
class Repeats:
    """The repeated names, with their values."""

    values: Mapping[str, Sequence[int]]
    """Values by dotted name, the seed first."""
    where: Mapping[str, str]
    """Locations of the values given by ``repeat``, by name; ``seeds`` has none here."""

    @property
    def count(self) -> int:
        """Number of trials of every row."""
        return math.prod(map(len, self.values.values()))

    def all(self) -> Iterator[dict[str, int]]:
        """Yield every combination of values, by name."""
        for values in itertools.product(*self.values.values()):
            yield dict(zip(self.values, values, strict=True))

    def key(self, name: str) -> str:
        """Return the file's key that sets a repeated name."""
        return "repeat" if name in self.where else "seeds"


def read_repeats(document: Document, file: SpaceFile, names: Sequence[str], sets: Sequence[str]) -> Repeats:
    """Read ``seeds`` and ``repeat`` of a file.

    Args:
        document: the file.
        file: its content.
        names: the config's dotted names.
        sets: assignments on the command line; names that they set are not repeated.

    Raises SweeperError at the first name that is unknown or set twice.
    """
    for name in file.repeat:
        if name not in names:
            where = document.where("repeat", name, key=True)
            raise SweeperError(f"repeat: unknown name '{name}'", fix=nearest(name, names), where=where)
    if SEED in file.repeat and "seeds" in file.model_fields_set:
        where = document.where("repeat", SEED, key=True)
        raise SweeperError("'seed' is both in seeds and in repeat", fix="remove one of the two", where=where)
    fixed = {each.partition("=")[0] for each in sets} - {SEED}  # `Grid.check_names` refuses a set seed
    values = {name: each for name, each in {SEED: file.seeds, **file.repeat}.items() if name not in fixed}
    return Repeats(values, {name: document.where("repeat", name) for name in values if name in file.repeat})


def told(repeats: Mapping[str, int]) -> str:
    """Format one trial's values, such as ``seed 1 · fold 0``; dotted names are cut to their last part if unique."""
    short = {name: name.rpartition(".")[2] for name in repeats}
    last = list(short.values())
    return " · ".join(
        f"{short[name] if last.count(short[name]) == 1 else name} {value}" for name, value in repeats.items()
    )
