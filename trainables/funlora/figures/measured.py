"""What rows have measured by layer and class. Rows that have measured the very same are told as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from analysis.figures.groups import Group, groups_of
from analysis.results import Results


@dataclass(frozen=True)
class Measured:
    """A measure of a row, or of all rows that share a value and have measured the very same."""

    label: str
    """The row's, or what the rows share; with the number of trials where some lack it."""
    table: pa.Table
    """Of the first of these rows: ``trial``, ``layer``, ``name``, ``label`` and what was measured."""


def measured_rows(results: Results, name: str) -> list[Measured]:
    """What the finished trials of every row have measured, in the order of the table.

    A sweep of what does not touch the adapters, such as solvers, has measured them once for all rows.

    Args:
        results: of a sweep.
        name: of the measure.
    """
    measure = results.beside(f"measures/{name}")
    if measure is None:
        return []
    groups = groups_of(results)
    tables = {group: _of(measure, group) for group in groups}
    told, seen = [], set()
    for group in (group for group in groups if len(tables[group]) and group not in seen):
        table, lacking = tables[group], _lacking(group, tables[group])
        alike = [other for other in groups if _same(tables[other], table) and _lacking(other, tables[other]) == lacking]
        shared = _shared(alike, groups)
        seen |= {group} if shared is None else set(alike)
        told.append(Measured((group.label if shared is None else shared) + lacking, table))
    return told


def _of(measure: pa.Table, group: Group) -> pa.Table:
    return measure.filter(pc.is_in(measure["trial"], group.finished["trial"].combine_chunks()))


def _lacking(group: Group, table: pa.Table) -> str:
    return group.told(pc.count_distinct(table["trial"]).as_py(), "")


def _same(one: pa.Table, other: pa.Table) -> bool:
    return len(one) == len(other) and bool(one.drop_columns("trial") == other.drop_columns("trial"))


def _shared(alike: Sequence[Group], groups: Sequence[Group]) -> str | None:
    """What these rows share, where they are all of the table that do; None for a single one."""
    first = alike[0].values
    places = [place for place, value in enumerate(first) if all(each.values[place] == value for each in alike)]
    sharing = sum(all(each.values[place] == first[place] for place in places) for each in groups)
    if len(alike) == 1 or sharing > len(alike):
        return None
    return " · ".join(str(first[place]) for place in places) or f"all {len(groups)} rows"
