"""Check a space's table against the names and numbers of its trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from analysis.published import published_names
from sweeper.errors import SweeperError, nearest
from sweeper.space.document import Document
from sweeper.space.grid import CASE
from sweeper.space.schema import Table


def check_table(
    document: Document, table: Table, fields: Mapping[str, Any], numbers: Sequence[str], cases: Sequence[str]
) -> None:
    """Check every name of a space's table.

    Args:
        document: the space's file.
        table: its table.
        fields: the config's fields by dotted name.
        numbers: names of facts, metrics and costs.
        cases: the space's cases.

    Raises SweeperError at the location of the first wrong name.
    """
    rows = [table.rows] if isinstance(table.rows, str) else table.rows
    _check_rows(document, rows, [*([CASE] if cases else []), *fields])
    _check_columns(document, table.columns, fields, numbers)
    if table.across and (table.across not in rows or len(rows) == 1):
        message, where = f"table: across '{table.across}' is not one of several rows", document.where("table", "across")
        raise SweeperError(message, fix="list at least two rows, and set across to one of them", where=where)
    for index, case in enumerate(table.bounds):
        if case not in cases:
            fix = nearest(case, cases) if cases else "add cases to the space"
            where = document.where("table", "bounds", index)
            raise SweeperError(f"table: unknown case '{case}'", fix=fix, where=where)
    if table.published and table.published not in published_names():
        fix, where = nearest(table.published, published_names()), document.where("table", "published")
        raise SweeperError(f"table: unknown published values '{table.published}'", fix=fix, where=where)


def _check_rows(document: Document, rows: Sequence[str], names: Sequence[str]) -> None:
    for index, name in enumerate(rows):
        where = document.where("table", "rows", index)
        if name in rows[:index]:
            raise SweeperError(f"table: '{name}' is given twice", fix="remove one", where=where)
        if name not in names:
            fix = "add cases to the space, or name an axis" if name == CASE else nearest(name, names)
            raise SweeperError(f"table: unknown name '{name}'", fix=fix, where=where)


def _check_columns(
    document: Document, columns: Sequence[str], fields: Mapping[str, Any], numbers: Sequence[str]
) -> None:
    for index, name in enumerate(columns):
        where = document.where("table", "columns", index)
        if name not in numbers and name not in fields:
            fix = nearest(name, [*numbers, *fields])
            raise SweeperError(f"table: unknown column '{name}'", fix=fix, where=where)
        if name not in numbers and not _is_number(fields[name].annotation):
            fix = "list it in the table's rows instead"
            raise SweeperError(f"table: column '{name}' is not a number", fix=fix, where=where)


def _is_number(annotation: Any) -> bool:
    return set(get_args(annotation) or [annotation]) <= {bool, int, float, type(None)}
