"""The rows of a sweep, folded: their configs, seeds and trials."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from analysis.report.markup import Cell, Html, element, folded, grid, joined
from analysis.report.phrases import counted
from analysis.results import Number, Results
from analysis.summary import Summary

STATES = ("trial", "status", "cause")
MADE_BY = ("target", "stages", "commit")
ALWAYS = ("la", "aia", "forgetting", "seconds", "seconds_saved")
"""Numbers of a trial that are always shown."""


@dataclass(frozen=True)
class RowTrials:
    """A row of the table with its trials from the results."""

    label: str
    trials: Sequence[Mapping[str, Any]]

    @property
    def finished(self) -> int:
        """Number of finished trials."""
        return sum(row["status"] == "finished" for row in self.trials)

    @property
    def told(self) -> str:
        """The number of finished trials and the reasons for the others; empty if all are finished."""
        causes = Counter((row["status"], row["cause"]) for row in self.trials if row["status"] != "finished")
        why = "; ".join(f"{number} {status}: {cause}" for (status, cause), number in causes.items())
        return f"{self.finished} of {len(self.trials)} finished; {why}" if why else ""

    def value(self, name: str) -> str:
        """Return the value of a config's name, or all values if the row's trials differ in it."""
        return ", ".join(dict.fromkeys(plain(row[name]) for row in self.trials))


def trials_of(results: Results, summary: Summary) -> list[RowTrials]:
    """Return the rows that the sweep runs, in the order of its table. Raises NoTable."""
    described = results.described
    wanted = [*STATES, *config_names(results), *described.seeds, *described.rows, *described.numbers]
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for trial in results.read(name for name in wanted if name in results.columns).to_pylist():
        groups.setdefault(tuple(plain(trial[name]) for name in described.rows), []).append(trial)
    keys = [(row.label, tuple(map(plain, row.axes.values()))) for row in summary.rows]
    return [RowTrials(label, groups[key]) for label, key in keys if key in groups]


def config_names(results: Results) -> list[str]:
    """Return the names of the config: a trial's columns before its first number, without state and seeds."""
    columns, numbers = results.columns, results.described.numbers
    first = next((place for place, name in enumerate(columns) if name in numbers), len(columns))
    return [name for name in columns[:first] if name not in (*STATES, *MADE_BY, *results.described.seeds)]


def configs(results: Results, rows: Sequence[RowTrials], place: str, links: Mapping[str, str]) -> Html:
    """Return the config values that differ between rows, with each row's trials, and the values that all rows share.

    Args:
        results: the sweep.
        rows: rows of its table.
        place: prefix of the rows' ids.
        links: addresses of tracked trials by label.
    """
    values = {name: [row.value(name) for row in rows] for name in config_names(results)}
    differ = [name for name, found in values.items() if len(set(found)) > 1]
    shared = [(name, [Cell.of(found[0])]) for name, found in values.items() if name not in differ]
    tracked = element("p", _tracked(links), class_="quiet") if links else Html()
    every = [_row(results, row, differ, links, f"{place}-row-{index}") for index, row in enumerate(rows)]
    return element(
        "section",
        element("h3", "Rows and their configs"),
        tracked,
        folded(f"{counted(len(rows), 'row')}: config values that differ, seeds and trials", *every),
        folded(
            f"{counted(len(shared), 'name')} with the same value in every row",
            grid("Config of all rows", ["name", "value"], shared),
        ),
        class_="configs",
    )


def _row(results: Results, row: RowTrials, differ: Sequence[str], links: Mapping[str, str], place: str) -> Html:
    state = element("span", row.told or counted(len(row.trials), "trial"), class_="quiet")
    differing = [_differing(row, differ)] if differ else []
    return folded(joined([row.label, " ", state]), *differing, _trials(results, row, links), id=place)


def _tracked(links: Mapping[str, str]) -> str:
    address = urlsplit(next(iter(links.values())))
    return (
        f"A trial's name links to its run in MLflow, if the server at {address.scheme}://{address.netloc} is running."
    )


def _differing(row: RowTrials, names: Sequence[str]) -> Html:
    lines = [(name, [Cell.of(row.value(name))]) for name in names]
    return grid(f"{row.label}: values that differ between rows", ["name", "value"], lines)


def _trials(results: Results, row: RowTrials, links: Mapping[str, str]) -> Html:
    """Return a table of the numbers of each trial."""
    described = results.described
    names = [name for name in dict.fromkeys([*described.columns, *ALWAYS]) if name in row.trials[0]]
    seeds = [name for name in described.seeds if name in row.trials[0]]
    lines = []
    for trial in row.trials:
        cells = [
            *(Cell(plain(trial[name]), trial[name]) for name in seeds),
            Cell.of(str(trial["status"])),
            *(Cell(told(trial[name], described.number(name)), trial[name]) for name in names),
        ]
        lines.append((_link(trial["trial"], links), cells))
    heads = ["trial", *seeds, "status", *(described.number(name).title for name in names)]
    return grid(f"{row.label}: its trials", heads, lines)


def _link(label: str, links: Mapping[str, str]) -> str:
    if label not in links:
        return label
    return element("a", label, href=links[label], rel="noreferrer", title="its run in MLflow")


def told(value: float | None, number: Number) -> str:
    """Format a number of a trial like its column."""
    if value is None or not math.isfinite(value):
        return "missing" if value is None else str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.{number.decimals}f}"


def plain(value: Any) -> str:
    """Format a config's value as in a search space."""
    if isinstance(value, str):
        return value
    return json.dumps(value)
