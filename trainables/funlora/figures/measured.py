"""Measures of rows by layer and class. Rows with identical measures are merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from analysis.figures.groups import Group, groups_of
from analysis.results import Results


@dataclass(frozen=True)
class Measured:
    """A measure of a row, or of all rows that share a value and have an identical measure."""

    label: str
    """Label of the row, or the values that the rows share; with the number of trials if some lack the measure."""
    table: pa.Table
    """The measure of the first of these rows: ``trial``, ``layer``, ``name``, ``label`` and its own columns."""


def measured_rows(results: Results, name: str) -> list[Measured]:
    """Return the measures of every row's finished trials, in the order of the table.

    A sweep over settings that do not affect the adapters, such as solvers, has one measure for all rows.

    Args:
        results: the results of a sweep.
        name: name of the measure.
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
    """Return the values that these rows share, if no other row of the table does; None for a single row."""
    first = alike[0].values
    places = [place for place, value in enumerate(first) if all(each.values[place] == value for each in alike)]
    sharing = sum(all(each.values[place] == first[place] for place in places) for each in groups)
    if len(alike) == 1 or sharing > len(alike):
        return None
    return " · ".join(str(first[place]) for place in places) or f"all {len(groups)} rows"
