"""The overview of a report: progress, time, and links to the sweeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from analysis.report.markup import Cell, Html, element, grid, joined
from analysis.report.phrases import counted, duration, moment
from analysis.report.stages import Stage, alone_of, saved_share, seconds_of, stages_of
from analysis.results import Results

STATES = ("finished", "pruned", "failed", "missing")


def overview(sweeps: Sequence[Results], stages: Sequence[Stage], title: str) -> Html:
    """Return the page's heading, a paragraph, and a line per sweep.

    Args:
        sweeps: sweeps of the page.
        stages: stages of all of them.
        title: title of the page.
    """
    total = sum((results.states for results in sweeps), Counter[str]())
    return element(
        "section",
        element("p", "Sweep report", class_="kind"),
        element("h1", title),
        element("p", _origin(stages), class_="origin"),
        _tiles(total, stages),
        element("p", _paragraph(len(sweeps), total, stages), class_="lead"),
        *([_sweeps(sweeps)] if len(sweeps) > 1 else []),
        id="overview",
        aria_label="Overview",
    )


def _origin(stages: Sequence[Stage]) -> str:
    if not stages:
        return "Date and code of the runs are not recorded yet"
    made = f"Results of {moment(stages[-1].started)}"
    commits = list(dict.fromkeys(each.commit or "" for each in stages))
    if len(commits) > 1:
        return f"{made}, from {len(commits)} commits"
    if not commits[0]:
        return f"{made}, from code outside a git repository"
    changed = " with changed files" if commits[0].endswith("+") else ""
    return f"{made}, from commit {commits[0][:12]}{changed}"


def _tiles(total: Counter[str], stages: Sequence[Stage]) -> Html:
    tiles = [("trials finished", f"{total['finished']:,}", f"of {total.total():,}")]
    if stages:
        tiles += [
            ("stages run", f"{len(stages):,}", f"of {sum(each.trials for each in stages):,} in one run per trial"),
            ("stage time spent", duration(seconds_of(stages)), "summed over stages"),
            ("saved by sharing", f"{saved_share(stages):.0f} %", duration(alone_of(stages) - seconds_of(stages))),
        ]
    return element(
        "dl",
        *(
            element("div", element("dt", name), element("dd", element("strong", value), " ", element("span", beside)))
            for name, value, beside in tiles
        ),
        class_="tiles",
    )


def _paragraph(sweeps: int, total: Counter[str], stages: Sequence[Stage]) -> Html:
    where = f" in {sweeps} sweeps" if sweeps > 1 else ""
    told = ", ".join(f"{total[state]:,} {state}" for state in STATES if total[state])
    parts = [f"{counted(total.total(), 'trial')}{where}: {told}. "]
    if stages:
        used = sum(each.trials for each in stages)
        parts.append(
            f"{counted(len(stages), 'stage')} took {duration(seconds_of(stages))}; one run per trial would have been "
            f"{used:,} stages and {duration(alone_of(stages))}. "
        )
    else:
        parts.append("The list of stages is written when a sweep's command ends. ")
    if total["failed"] or total["missing"]:
        parts.append("The reason for each missing trial is next to its row; averages do not include it.")
    return joined(parts)


def _sweeps(sweeps: Sequence[Results]) -> Html:
    lines, shown = [], [state for state in STATES if state != "pruned" or any(each.search for each in sweeps)]
    for index, results in enumerate(sweeps):
        found, stages = results.states, stages_of([results])
        known = bool(stages)
        cells = [
            *(Cell(f"{found[state]:,}", found[state]) for state in shown),
            Cell(f"{len(stages):,}" if known else "unknown", len(stages) if known else None),
            Cell(duration(seconds_of(stages)) if known else "unknown", seconds_of(stages) if known else None),
            Cell(f"{saved_share(stages):.0f} %" if known else "unknown", saved_share(stages) if known else None),
        ]
        lines.append((element("a", results.name, href=f"#sweep-{index}"), cells))
    heads = ["sweep", *shown, "stages", "stage time", "saved within it"]
    return grid("Sweeps; a stage that several sweeps need is counted in each of them", heads, lines)
