"""Describe the comparisons of a table in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from analysis.differences import LEVEL, MAX_SEEDS
from analysis.pairs import Comparison
from analysis.summary import Summary


class Verdict(NamedTuple):
    """The verdict on one row in one column."""

    column: str
    """Title of the column."""
    baseline: int
    """Index of the row that it is compared with."""
    n: int
    """Number of pairs."""
    word: str
    """One of `WORDS`."""
    row: str
    needed: float
    """Seeds needed, infinite for more than `MAX_SEEDS`; NaN if unknown."""


WORDS = ("better", "worse", "unclear", "shifted", "equal", "single", "none")
"""``shifted``: the same difference in all pairs; ``single``: only one pair; ``none``: no pair."""


def verdicts(summary: Summary) -> list[str]:
    """Return sentences that compare every row with its baseline in every column; rows with equal verdicts are joined.

    Columns that no trial has measured are left out.
    """
    sentences = []
    for comparison in summary.comparisons:
        if comparison.differences.n.any():
            found = sorted(_verdicts(summary, comparison), key=lambda each: (WORDS.index(each.word), each[1:3]))
            alike = groupby(found, key=lambda each: each[:4])
            sentences += [_sentence(summary.rows[each[1]].label, list(group)) for each, group in alike]
    return sentences


def _verdicts(summary: Summary, comparison: Comparison) -> Iterator[Verdict]:
    number, differences = summary.described.number(comparison.column), comparison.differences
    for place, (row, baseline) in enumerate(zip(comparison.rows, comparison.baselines, strict=True)):
        n, mean, p = int(differences.n[place]), float(differences.mean[place]), float(differences.p[place])
        if math.isfinite(p):
            ahead = (mean > 0) == (number.better == "higher")
            word = "unclear" if p >= LEVEL else "better" if ahead else "worse"
        else:
            word = "none" if n == 0 else "single" if n == 1 else "shifted" if mean else "equal"
        yield Verdict(number.title, baseline, n, word, summary.rows[row].label, float(differences.needed[place]))


def _sentence(baseline: str, alike: Sequence[Verdict]) -> str:
    first, one = alike[0], len(alike) == 1
    rows, are = listed([each.row for each in alike]), "is" if one else "are"
    seeds = f"{first.n} seed{'' if first.n == 1 else 's'}"
    there = f"{baseline} in {first.column}"
    if first.word in ("better", "worse"):
        return f"{rows} {are} {first.word} than {there} with {seeds}"
    if first.word == "unclear" and one:
        return f"{rows} is not distinguishable from {there} with {seeds}; {_about(first.needed)} would be needed"
    if first.word == "unclear":
        needed = listed([f"{each.row} ({_number(each.needed)})" for each in alike])
        return f"{needed} are not distinguishable from {there} with {seeds} (in parentheses: seeds needed)"
    if first.word == "shifted":
        return (
            f"{rows} {'differs' if one else 'differ'} from {there} by the same amount with each of {seeds}: "
            "no test applies"
        )
    if first.word == "equal":
        return f"{rows} {are} equal to {there} with each of {seeds}"
    if first.word == "single":
        return f"{rows} cannot be compared with {there}: a test needs more than 1 seed"
    return f"{rows} cannot be compared with {there}: no seed has a value in both"


def _about(needed: float) -> str:
    return f"more than {MAX_SEEDS:,}" if math.isinf(needed) else f"about {needed:.0f}"


def _number(needed: float) -> str:
    return f"> {MAX_SEEDS:,}" if math.isinf(needed) else f"{needed:.0f}"


def listed(names: Sequence[str]) -> str:
    """Join names: ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
