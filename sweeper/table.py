"""The table that a space asks for, checked against what its trials will have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from analysis.published import published_names
from sweeper.errors import SweeperError, nearest
from sweeper.format import Table
from sweeper.grid import CASE
from sweeper.source import Document


def check_table(
    document: Document, table: Table, fields: Mapping[str, Any], numbers: Sequence[str], cases: Sequence[str]
) -> None:
    """Check every name of a space's table.

    Args:
        document: the space's file.
        table: what it asks for.
        fields: the config's fields by dotted name.
        numbers: names of facts, metrics and costs.
        cases: of the space.

    Raises SweeperError at the place of the first name that is wrong.
    """
    rows = [table.rows] if isinstance(table.rows, str) else table.rows
    names = [*([CASE] if cases else []), *fields]
    columns = [*numbers, *fields]
    for index, name in enumerate(rows):
        if name in rows[:index]:
            message, where = f"table: '{name}' is given twice", document.where("table", "rows", index)
            raise SweeperError(message, fix="remove one", where=where)
        if name not in names:
            fix = "give the space cases, or name an axis" if name == CASE else nearest(name, names)
            where = document.where("table", "rows", index)
            raise SweeperError(f"table: unknown name '{name}'", fix=fix, where=where)
    for index, name in enumerate(table.columns):
        if name not in columns:
            where = document.where("table", "columns", index)
            raise SweeperError(f"table: unknown column '{name}'", fix=nearest(name, columns), where=where)
        if name not in numbers and not _is_number(fields[name].annotation):
            fix, where = "name it in the table's rows", document.where("table", "columns", index)
            raise SweeperError(f"table: column '{name}' is no number", fix=fix, where=where)
    if table.across and (table.across not in rows or len(rows) == 1):
        fix = "name one of several rows"
        raise SweeperError(f"table: across is no row of it: '{table.across}'", fix=fix,
                           where=document.where("table", "across"))  # fmt: skip
    for index, case in enumerate(table.bounds):
        if case not in cases:
            fix = nearest(case, cases) if cases else "give the space cases"
            raise SweeperError(f"table: no case '{case}'", fix=fix, where=document.where("table", "bounds", index))
    if table.published and table.published not in published_names():
        fix, where = nearest(table.published, published_names()), document.where("table", "published")
        raise SweeperError(f"no published values called '{table.published}'", fix=fix, where=where)


def _is_number(annotation: Any) -> bool:
    return set(get_args(annotation) or [annotation]) <= {bool, int, float, type(None)}
