"""Tables for programs: every number in full precision, null if missing."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

from analysis.rows import NOT_RUN, Row
from analysis.summary import Summary
from analysis.verdicts import verdicts


def csv_text(summary: Summary) -> str:
    """Return CSV with a line per row; `records` documents the columns."""
    found = records(summary)
    out = io.StringIO()
    heads = found[0] if found else _record(summary, Row({}, dict.fromkeys(summary.columns, NOT_RUN), {}))
    writer = csv.DictWriter(out, list(heads), lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    return out.getvalue()


def json_text(summary: Summary) -> str:
    """Return JSON with the name, rows, notes and the verdicts of comparisons."""
    told = {"name": summary.name, "rows": records(summary), "notes": summary.notes, "comparisons": verdicts(summary)}
    return json.dumps(told, indent=1, allow_nan=False) + "\n"


def records(summary: Summary) -> list[dict[str, Any]]:
    """Return the rows by name.

    For a column ``la``: the mean ``la``, ``la_std`` (with n - 1), the number ``la_n`` of ``la_trials`` trials that have
    it, ``la_published``; with a baseline also ``la_difference`` of ``la_pairs``, ``la_t_low``, ``la_t_high``,
    ``la_bootstrap_low``, ``la_bootstrap_high``, ``la_p`` (Holm) and ``la_seeds_needed``.
    """
    found = [_record(summary, row) for row in summary.rows]
    for comparison in summary.comparisons:
        name, differences = comparison.column, comparison.differences
        columns = {
            f"{name}_pairs": differences.n,
            f"{name}_difference": differences.mean,
            f"{name}_t_low": differences.t_interval[:, 0],
            f"{name}_t_high": differences.t_interval[:, 1],
            f"{name}_bootstrap_low": differences.bootstrap_interval[:, 0],
            f"{name}_bootstrap_high": differences.bootstrap_interval[:, 1],
            f"{name}_p": differences.p,
            f"{name}_seeds_needed": differences.needed,
        }
        places = {row: place for place, row in enumerate(comparison.rows)}
        for index, record in enumerate(found):
            for title, values in columns.items():
                record[title] = _number(values[places[index]].item()) if index in places else None
    return found


def _record(summary: Summary, row: Row) -> dict[str, Any]:
    record: dict[str, Any] = {name: row.axes.get(name) for name in summary.described.rows}
    for name in summary.columns:
        cell = row.cells[name]
        mean = round(cell.mean) if cell.counted and cell.mean is not None else _number(cell.mean)
        record |= {name: mean, f"{name}_std": _number(cell.std), f"{name}_n": cell.n, f"{name}_trials": cell.trials}
        if name in summary.published:
            record[f"{name}_published"] = row.published[name]
    return record


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
