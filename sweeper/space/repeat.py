"""Repeats: values of fields of the config that every row is run with and averaged over, such as seeds or folds."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sweeper.errors import SweeperError, nearest
from sweeper.space.document import Document
from sweeper.space.schema import SpaceFile

SEED = "seed"
"""The field that every config has, and that ``seeds`` sets."""


@dataclass(frozen=True)
class Repeats:
    """The repeated names, with their values."""

    values: Mapping[str, Sequence[int]]
    """By dotted name, the seed first."""
    where: Mapping[str, str]
    """The places of the values in ``repeat``, by name; not of those in ``seeds``."""

    @property
    def count(self) -> int:
        """Trials of every row."""
        return math.prod(map(len, self.values.values()))

    def all(self) -> Iterator[dict[str, int]]:
        """Every combination of values, by name."""
        for values in itertools.product(*self.values.values()):
            yield dict(zip(self.values, values, strict=True))

    def key(self, name: str) -> str:
        """The key of the file that sets a repeated name."""
        return "repeat" if name in self.where else "seeds"


def read_repeats(document: Document, file: SpaceFile, names: Sequence[str], sets: Sequence[str]) -> Repeats:
    """Read ``seeds`` and ``repeat`` of a file.

    Args:
        document: the file.
        file: what it says.
        names: the config's dotted names.
        sets: assignments of the command line; what they set is not repeated.

    Raises SweeperError at the first name that is unknown or given twice.
    """
    for name in file.repeat:
        if name not in names:
            where = document.where("repeat", name, key=True)
            raise SweeperError(f"repeat: unknown name '{name}'", fix=nearest(name, names), where=where)
    if SEED in file.repeat and "seeds" in file.model_fields_set:
        where = document.where("repeat", SEED, key=True)
        raise SweeperError("'seed' is both in seeds and in repeat", fix="remove one of the two", where=where)
    fixed = {each.partition("=")[0] for each in sets} - {SEED}  # a set seed is refused with the other names
    values = {name: each for name, each in {SEED: file.seeds, **file.repeat}.items() if name not in fixed}
    return Repeats(values, {name: document.where("repeat", name) for name in values if name in file.repeat})


def told(repeats: Mapping[str, int]) -> str:
    """The values of one trial, such as ``seed 1 · fold 0``: a dotted name by its last part, unless two have that."""
    short = {name: name.rpartition(".")[2] for name in repeats}
    last = list(short.values())
    return " · ".join(
        f"{short[name] if last.count(short[name]) == 1 else name} {value}" for name, value in repeats.items()
    )
