"""From a sweep's Parquet rows to its table: mean ± standard deviation over seeds, published values beside them."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.table import Table as RichTable

from analysis.published import published_table
from analysis.results import Description, NoTable, Results

Format = Literal["text", "md", "csv", "json"]
FORMATS: tuple[Format, ...] = get_args(Format)
LOST = "—"
NAMED = 4
"""Unfinished trials of one cause that a note names; it counts the rest."""


@dataclass(frozen=True)
class Cell:
    """A metric of a row over its seeds.

    ``mean`` and ``std`` (with n - 1) are None where they are missing; ``n`` of ``trials`` trials have the value.
    """

    mean: float | None
    std: float | None
    n: int
    trials: int
    counted: bool
    """Whether it is a whole number counted from the config, the same for every trial of the row."""

    def text(self, decimals: int = 2) -> str:
        """``93.56 ± 2.20 (n=2)``, a counted number alone, or ``missing``."""
        if self.mean is None:
            return "missing"
        whole = self.n == self.trials
        if self.counted and whole:
            return str(round(self.mean))
        count = f"n={self.n}" if whole else f"n={self.n} of {self.trials}"
        spread = f" ± {self.std:.{decimals}f}" if self.std is not None else ""
        return f"{self.mean:.{decimals}f}{spread} ({count})"


@dataclass(frozen=True)
class Row:
    """A row of the table: the values of its axes, its cells and the published values, by name."""

    axes: Mapping[str, Any]
    cells: Mapping[str, Cell]
    published: Mapping[str, float | None]


@dataclass(frozen=True)
class Summary:
    """A table with its notes: what is lost, what is missing and why."""

    name: str
    described: Description
    rows: list[Row]
    columns: Sequence[str]
    published: list[str]
    """Columns with at least one published value."""
    notes: list[str]

    def render(self, how: Format) -> str:
        """The table as text, Markdown, CSV or JSON, ending with a newline."""
        return {"text": _text, "md": _markdown, "csv": _csv, "json": _json}[how](self)


def summarise(found: Results) -> Summary:
    """Group the rows of a sweep by its table's row names and average over the rest.

    Raises NoTable for a name that the results lack and for an unknown published table.
    """
    spec, results = found.described, found.trials
    names = spec.rows
    unknown = [name for name in [*names, *spec.columns] if name not in results.column_names]
    finished = pc.any(pc.equal(results["status"], "finished")).as_py()
    if unknown and (finished or unknown[0] in names):
        raise NoTable(f"the table of {spec.name} names {unknown[0]}, which its results lack")
    for name in unknown:
        results = results.append_column(name, pa.nulls(len(results), pa.float64()))
    published = _published(spec.published)
    rows = [
        Row(axes, cells, {name: _lookup(published, name, axes) for name in spec.columns})
        for axes, cells in _aggregate(results, names, spec.columns)
    ]
    known = [name for name in spec.columns if any(row.published[name] is not None for row in rows)]
    return Summary(spec.name, spec, rows, spec.columns, known, list(_notes(results, spec, published)))


def _aggregate(
    results: pa.Table, names: Sequence[str], columns: Sequence[str]
) -> Iterator[tuple[dict[str, Any], dict[str, Cell]]]:
    keys = {name: _groupable(results[name]) for name in names}
    values = {f"value.{name}": _number(results, name) for name in columns}
    whole = {name for name in columns if pa.types.is_integer(results[name].type)}
    table = pa.table({**keys, **values, "trials": pa.array([1] * len(results))})
    with_n = pc.VarianceOptions(ddof=1)
    wanted: list[tuple[Any, ...]] = [("trials", "sum")]
    for value in values:
        wanted += [(value, "mean"), (value, "stddev", with_n), (value, "count"), (value, "min"), (value, "max")]
    grouped = table.group_by(names, use_threads=False).aggregate(wanted)
    for record in _nested(grouped.to_pylist(), names):
        cells = {}
        for name in columns:
            parts = ("mean", "stddev", "count", "min", "max")
            mean, std, n, low, high = (record[f"value.{name}_{part}"] for part in parts)
            cells[name] = Cell(mean, std if n > 1 else None, n, record["trials_sum"], name in whole and low == high)
        yield {name: record[name] for name in names}, cells


def _nested(records: list[dict[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """Records by their first name, within that by their second, and so on, each in the order of the sweep."""
    orders = {name: list(dict.fromkeys(record[name] for record in records)) for name in names}
    return sorted(records, key=lambda record: [orders[name].index(record[name]) for name in names])


def _number(results: pa.Table, name: str) -> pa.ChunkedArray:
    kind, types = results[name].type, pa.types
    if not (types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind) or types.is_null(kind)):
        raise NoTable(f"column {name} is no number but {kind}\n  fix: name a metric or fact in the table's columns")
    return results[name].cast(pa.float64())


def _groupable(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    if pa.types.is_nested(column.type):
        return pa.array([json.dumps(value) for value in column.to_pylist()])
    return column


def _notes(results: pa.Table, spec: Description, published: Mapping[str, Any]) -> Iterator[str]:
    lost = [spec.number(name).title for name in spec.columns if name in published and published[name] is None]
    if published:
        yield f"published: {published['source']}" + (f"; lost: {', '.join(lost)}" if lost else "")
    if baseline := spec.baseline:
        yield f"baseline: {' · '.join(str(value) for value in baseline.values())}"
    unfinished = results.filter(pc.not_equal(results["status"], "finished"))
    by_cause: dict[str, list[str]] = {}
    for trial, cause in zip(unfinished["trial"].to_pylist(), unfinished["cause"].to_pylist(), strict=True):
        by_cause.setdefault(cause, []).append(trial)
    for cause, trials in by_cause.items():
        more = f" and {len(trials) - NAMED} more" if len(trials) > NAMED else ""
        yield f"{', '.join(trials[:NAMED])}{more}: {cause}"


def _published(reference: str | None) -> Mapping[str, Any]:
    if reference is None:
        return {}
    try:
        return published_table(reference)
    except KeyError:
        raise NoTable(f"no published values called '{reference}'\n  fix: they stand in analysis/published") from None


def _lookup(published: Mapping[str, Any], column: str, axes: Mapping[str, Any]) -> float | None:
    found: Any = published.get(column)
    for value in axes.values():
        found = found.get(value) if isinstance(found, dict) else None
    return found if isinstance(found, int | float) else None


def _cells(summary: Summary) -> tuple[list[str], list[list[str]]]:
    """Titles and rows as text."""
    titles = list(summary.rows[0].axes)
    for name in summary.columns:
        title = summary.described.number(name).title
        titles += [title, f"{title} published"] if name in summary.published else [title]
    lines = []
    for row in summary.rows:
        line = [str(value) for value in row.axes.values()]
        for name in summary.columns:
            line.append(row.cells[name].text(summary.described.number(name).decimals))
            if name in summary.published:
                value = row.published[name]
                line.append(LOST if value is None else f"{value:g}" if isinstance(value, float) else str(value))
        lines.append(line)
    return titles, lines


def _text(summary: Summary) -> str:
    titles, lines = _cells(summary)
    table = RichTable(title=summary.name, title_justify="left", box=None, pad_edge=False, header_style="")
    for index, title in enumerate(titles):
        table.add_column(title, justify="right" if index >= len(summary.rows[0].axes) else "left", no_wrap=True)
    for line in lines:
        table.add_row(*line)
    out = io.StringIO()
    Console(file=out, width=10_000, color_system=None).print(table)
    kept = [line.rstrip() for line in out.getvalue().splitlines()]
    return "\n".join([*kept, *summary.notes]) + "\n"


def _markdown(summary: Summary) -> str:
    titles, lines = _cells(summary)
    rule = ["---"] * len(summary.rows[0].axes) + ["---:"] * (len(titles) - len(summary.rows[0].axes))
    body = ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in [titles, rule, *lines]]
    notes = [f"\n{note}" for note in summary.notes]
    return "\n".join([*body, *notes]) + "\n"


def _records(summary: Summary) -> list[dict[str, Any]]:
    records = []
    for row in summary.rows:
        record = dict(row.axes)
        for name in summary.columns:
            cell = row.cells[name]
            mean = round(cell.mean) if cell.counted and cell.mean is not None else cell.mean
            record |= {name: mean, f"{name}_std": cell.std, f"{name}_n": cell.n, f"{name}_trials": cell.trials}
            if name in summary.published:
                record[f"{name}_published"] = row.published[name]
        records.append(record)
    return records


def _csv(summary: Summary) -> str:
    records = _records(summary)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return out.getvalue()


def _json(summary: Summary) -> str:
    records = [
        {name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in each.items()}
        for each in _records(summary)
    ]
    return json.dumps({"name": summary.name, "rows": records, "notes": summary.notes}, indent=1, allow_nan=False) + "\n"
