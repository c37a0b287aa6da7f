"""What the comparisons of a table say, in plain sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from analysis.differences import LEVEL, MOST_SEEDS
from analysis.summary import Summary


class Verdict(NamedTuple):
    """What is said of one row in one column."""

    column: str
    """Title."""
    baseline: str
    n: int
    word: str
    """``better``, ``worse``, ``unclear``, ``shifted`` (by the same in all pairs), ``equal``, ``single`` or ``none``."""
    row: str
    needed: float
    """Seeds, infinite for more than `MOST_SEEDS`; NaN where it cannot be told."""


def verdicts(summary: Summary) -> list[str]:
    """Sentences on every row against its baseline in every column, those of rows that fare alike joined."""
    found = list(_verdicts(summary))
    columns = list(dict.fromkeys(each.column for each in found))
    found.sort(key=lambda each: (columns.index(each.column), _WORDS.index(each.word), each.baseline, each.n))
    alike = groupby(found, key=lambda each: each[:4])
    return [_sentence(list(group)) for _, group in alike]


_WORDS = ("better", "worse", "unclear", "shifted", "equal", "single", "none")


def _verdicts(summary: Summary) -> Iterator[Verdict]:
    for comparison in summary.comparisons:
        number, differences = summary.described.number(comparison.column), comparison.differences
        for place, (row, baseline) in enumerate(zip(comparison.rows, comparison.baselines, strict=True)):
            n, mean, p = int(differences.n[place]), float(differences.mean[place]), float(differences.p[place])
            if math.isfinite(p):
                ahead = (mean > 0) == (number.better == "higher")
                word = "unclear" if p >= LEVEL else "better" if ahead else "worse"
            else:
                word = "none" if n == 0 else "single" if n == 1 else "shifted" if mean else "equal"
            yield Verdict(
                number.title, summary.rows[baseline].label, n, word, summary.rows[row].label,
                float(differences.needed[place]),
            )  # fmt: skip


def _sentence(alike: Sequence[Verdict]) -> str:
    first = alike[0]
    rows, are = listed([each.row for each in alike]), "is" if len(alike) == 1 else "are"
    seeds = f"{first.n} seed{'' if first.n == 1 else 's'}"
    there = f"{first.baseline} in {first.column}"
    if first.word in ("better", "worse"):
        return f"{rows} {are} {first.word} than {there} with {seeds}"
    if first.word == "unclear":
        needed = listed([_many(each.needed) for each in alike])
        return f"{rows} {are} not distinguishable from {there} with {seeds}; {needed} would be needed"
    differ = f"{rows} {'differs' if len(alike) == 1 else 'differ'} from {there}"
    if first.word == "shifted":
        return f"{differ} by the same in all of {seeds}, which no test can judge"
    if first.word == "equal":
        return f"{rows} {are} equal to {there} with each of {seeds}"
    if first.word == "single":
        return f"{rows} cannot be compared with {there}: a test needs more than 1 seed"
    return f"{rows} cannot be compared with {there}: there is no seed that both have finished"


def _many(needed: float) -> str:
    return f"more than {MOST_SEEDS:,}" if math.isinf(needed) else f"about {needed:.0f}"


def listed(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
