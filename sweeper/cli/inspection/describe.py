"""Describe a trainable: names that can be swept, and numbers that can be columns of a table."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any, get_args

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sweeper.errors import SweeperError, nearest
from sweeper.records.writer import flat_config
from sweeper.trainable.trainable import dotted_fields, find_trainable


def description(name: str, preset: str | None) -> str:
    """Format dotted names with type, value in the preset and meaning, then the numbers. Raises SweeperError."""
    trainable = find_trainable(name)
    chosen = preset or next(iter(trainable.presets))
    if chosen not in trainable.presets:
        raise SweeperError(f"unknown preset '{chosen}'", fix=nearest(chosen, trainable.presets))
    values = flat_config(trainable.presets[chosen])
    names = [
        (dotted, _type(field.annotation), _shown(values[dotted]), f"{field.description or ''}{_bounds(field)}")
        for dotted, field in dotted_fields(trainable.config)
        if dotted != "seed"
    ]
    numbers = [
        (column, kind, number.better or "", number.meaning)
        for kind, offered in (("fact", trainable.known), ("metric", trainable.metrics), ("cost", trainable.costs))
        for column, number in offered.items()
    ]
    lines = [*_table(("name", "type", chosen, "meaning"), names), ""]
    lines += [*_table(("column", "kind", "better", "meaning"), numbers), ""]
    return "\n".join([*lines, f"presets: {', '.join(trainable.presets)}"]) + "\n"


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    table = Table(box=None, pad_edge=False, header_style="")
    for title in titles:
        table.add_column(title, no_wrap=title == titles[0])
    for row in rows:
        table.add_row(*map(Text, row))
    out = io.StringIO()
    Console(file=out, width=150, color_system=None).print(table)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def _type(annotation: Any) -> str:
    if annotation is type(None):
        return "none"
    parts = get_args(annotation)
    if not parts:
        return getattr(annotation, "__name__", str(annotation))
    if all(isinstance(part, str) for part in parts):
        return " | ".join(parts)
    if getattr(annotation, "__origin__", None) is tuple:
        return f"list of {_type(parts[0])}"
    return " | ".join(_type(part) for part in parts)


def _bounds(field: Any) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    found = [
        f"{sign} {getattr(bound, name)}"
        for bound in field.metadata
        for name, sign in signs.items()
        if hasattr(bound, name)
    ]
    return f" ({', '.join(found)})" if found else ""


def _shown(value: Any) -> str:
    return "none" if value is None else str(value)
