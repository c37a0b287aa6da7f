"""The text that ``sweeper plan`` prints, from the JSON of a forecast."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.filesize import decimal

from sweeper.planning.counts import headline
from sweeper.planning.sharing import Sharing
from sweeper.planning.text import aligned, clock

WIDTH = 110
ROWS_SHOWN = 40
LABEL_WIDTH = 44
COUNTS = ("stages", "cached", "to_run", "own")
BASES = {
    "measured": "measured",
    "scaled": "scaled from measured stages of the same function",
    "counted": "counted work at the mean rate of all measured stages",
    "unknown": "unknown",
}


def preview(forecast: Mapping[str, Any], sharing: Sharing) -> str:
    """Return the whole text, in lines of about WIDTH columns."""
    searches = [line for space in forecast["spaces"] if space["search"] for line in _search(space)]
    if not sharing.rows:
        return "\n".join([headline(forecast), "", *searches])
    rows = _table(_rows(forecast, sharing))
    more = len(sharing.rows) - ROWS_SHOWN
    cut = [f"and {_plural(more, 'more row')}; --json lists all"] if more > 0 else []
    functions = _table(list(_functions(forecast)))
    return "\n".join([headline(forecast), "", *rows, *cut, "", *functions, "", *sums(forecast), *searches])


def _search(space: Mapping[str, Any]) -> list[str]:
    """Return lines with the distributions, and with the trials and stages of a suggestion before sharing."""
    search = space["search"]
    trials, stages, studies = search["trials_of_each"], search["stages_of_each"], max(1, len(search["studies"]))
    most = search["trials"] * studies * stages
    return [
        *aligned(list(search["distributions"].items())),
        f"a suggestion has {_plural(trials, 'trial')} and {stages:,} stages; all {search['trials'] * studies:,} "
        f"suggestions have at most {most:,} stages, fewer if they share some",
    ]


def sums(forecast: Mapping[str, Any]) -> list[str]:
    """Return a line each for seconds, time on the available slots, savings and disk."""
    return [
        f"seconds   {_known(forecast['seconds'])}",
        f"expected  {_expected(forecast['expected'], forecast['to_run'])}",
        f"saved     {_saved(forecast)}",
        f"disk      {_disk(forecast['disk'], forecast['to_run'])}",
    ]


def _rows(forecast: Mapping[str, Any], sharing: Sharing) -> list[list[str]]:
    """Return lines of cells; with several spaces, the name of each comes before its rows."""
    indent = "  " if len(forecast["spaces"]) > 1 else ""
    lines = [[_plural(len(sharing.rows), "row"), *(name.replace("_", " ") for name in COUNTS)]]
    for row, counts in zip(sharing.rows, forecast["rows"][:ROWS_SHOWN], strict=False):
        lines.append([_cut(f"{indent}{row.name}", LABEL_WIDTH), *(f"{counts[name]:,}" for name in COUNTS)])
    left = WIDTH - sum(width + 2 for width in _widths(lines))
    cells = [[*lines[0], "shared"]]
    for index, line in enumerate(lines[1:]):
        space = sharing.rows[index].space
        if indent and (index == 0 or space != sharing.rows[index - 1].space):
            cells.append([space, *[""] * len(line)])
        cells.append([*line, _shared(sharing, index, left)])
    return cells


def _shared(sharing: Sharing, index: int, width: int) -> str:
    """Format ``24 with all 11 rows, 8 with 40-49``: as many groups as fit, then the number of remaining stages."""
    groups = sharing.shared(index)
    text, left = "", sum(sharing.groups[rows] for rows in groups)
    for rows in groups:
        stages = sharing.groups[rows]
        rest = f", {left - stages:,} with others" if left > stages else ""
        named, counted = sharing.names(rows, without=index), f"{_plural(len(rows) - 1, 'row')}"
        each = f"{stages:,} with {named if len(f'{text}, {stages:,} with {named}{rest}') <= width else counted}"
        longer = f"{text}, {each}" if text else each
        if text and len(longer + rest) > width:
            return f"{text}, {left:,} with others"
        text, left = longer, left - stages
    return text or "nothing"


def _functions(forecast: Mapping[str, Any]) -> Iterator[list[str]]:
    yield ["stage", "unique", "cached", "to run", "time", "seconds known"]
    for label, each in forecast["functions"].items():
        counts = [f"{each[name]:,}" for name in ("unique", "cached", "to_run")]
        known = [basis for basis in BASES if each[basis]]
        how = known[0] if len(known) == 1 else ", ".join(f"{each[basis]:,} {basis}" for basis in known)
        yield [label, *counts, "-" if known == ["unknown"] else clock(each["seconds"]), how]


def _known(seconds: Mapping[str, Any]) -> str:
    found = {basis: seconds[f"{basis}_stages"] for basis in BASES}
    if not any(found[basis] for basis in BASES if basis != "unknown"):
        return "unknown until some stages have run"
    return ", ".join(f"{BASES[basis]} for {count:,}" for basis, count in found.items() if count)


def _expected(expected: Mapping[str, Any], to_run: int) -> str:
    if not to_run:
        return "nothing to run"
    slots = _plural(expected["slots"], "slot")
    if expected["makespan"] is None:
        return f"unknown on {slots}"
    times = [clock(expected[name]) for name in ("makespan", "critical_path", "work")]
    unknown = expected["unknown_stages"]
    without = f", excluding {_plural(unknown, 'stage')} of unknown duration" if unknown else ""
    return f"{times[0]} on {slots} (critical path {times[1]}, work {times[2]}){without}"


def _saved(forecast: Mapping[str, Any]) -> str:
    stages = f"{forecast['stages'] - forecast['unique']:,} of {forecast['stages']:,} stages of one run per trial"
    saved, alone = forecast["saved"], forecast["seconds"]["one_run_per_trial"]
    if saved["seconds"] is None:
        return f"{stages}; time unknown"
    share = f"{saved['seconds'] / alone:.0%}" if alone else "0%"
    gpus = "GPU-hours unknown: no stage was measured on a GPU"
    if saved["gpu_hours"] is not None:
        gpus = f"{_hours(saved['gpu_hours'])} GPU-hours"
    known = " for known stages" if forecast["seconds"]["unknown_stages"] else ""
    time = f"{clock(saved['seconds'])} of {clock(alone)} ({share}){known}"
    return f"{stages}, {time}\n{'':10}{_hours(saved['core_hours'])} core-hours; {gpus}"


def _disk(disk: Mapping[str, int], to_run: int) -> str:
    here, unknown = f"{decimal(disk['bytes_here'])} stored", disk["unknown_stages"]
    if not to_run:
        return here
    if unknown == to_run:
        return f"{here}; still needed: unknown"
    without = f" (unknown for {_plural(unknown, 'stage')})" if unknown else ""
    return f"{here}, about {decimal(disk['bytes_to_come'])} still needed{without}"


def _plural(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _hours(hours: float) -> str:
    if 0 < hours < 0.01:
        return "under 0.01"
    return f"{hours:,.2f}" if hours < 10 else f"{hours:,.0f}"


def _table(lines: Sequence[Sequence[str]]) -> list[str]:
    """Align columns: the first and the last to the left, numbers between them to the right."""
    return aligned(lines, right=range(1, len(lines[0]) - 1))


def _widths(lines: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*lines, strict=True)]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
