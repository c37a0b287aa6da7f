"""The computation of the results: stages, sharing between trials, and devices."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.report.markup import Cell, Html, element, grid, joined
from analysis.report.phrases import counted, duration
from analysis.report.stages import Stage, alone_of, by, saved_share, seconds_of
from analysis.results import Results

MIB = 2**20


def sharing(sweeps: Sequence[Results], stages: Sequence[Stage]) -> Html:
    """Return the stages of all sweeps by function: counts, trials, and seconds with and without sharing."""
    without = [results.name for results in sweeps if results.beside("stages") is None]
    parts: list[str] = [element("h2", "Computation and sharing")]
    if without:
        parts.append(element("p", _unwritten(without), class_="warning"))
    if stages:
        parts += [element("p", _sentence(stages), class_="lead"), _bars(stages), _functions(stages), _devices(stages)]
    return element("section", *parts, id="sharing")


def _unwritten(names: Sequence[str]) -> str:
    return (
        f"The stages of {', '.join(names)} are not recorded: the sweep's command is still running or was killed. Run "
        "the same command again to record them."
    )


def _sentence(stages: Sequence[Stage]) -> str:
    shared = [each for each in stages if each.trials > 1]
    spent, alone = duration(seconds_of(stages)), duration(alone_of(stages))
    if not shared:
        return f"No two trials needed the same stage: {counted(len(stages), 'stage')} took {spent}; nothing was saved."
    most = max(shared, key=lambda each: each.alone - each.seconds)
    return (
        f"Trials with the same settings up to a stage share it. Of {counted(len(stages), 'stage')}, {len(shared):,} "
        f"served more than one trial, up to {max(each.trials for each in shared):,} trials. All stages took {spent} "
        f"instead of {alone}, {saved_share(stages):.0f} % less; {most.stage.replace('_', ' ')} alone saved "
        f"{duration(_saved([each for each in stages if each.stage == most.stage]))}."
    )


def _saved(stages: Sequence[Stage]) -> float:
    return alone_of(stages) - seconds_of(stages)


def _bars(stages: Sequence[Stage]) -> Html:
    """Return bars of the seconds by part, with and without sharing, on the same scale."""
    parts, whole = by(stages, lambda each: each.part), alone_of(stages) or 1.0
    bars = []
    for title, seconds in (("with sharing", seconds_of), ("one run per trial", alone_of)):
        pieces = [
            element(
                "span",
                class_=f"piece part-{index % 6}",
                style=f"width:{100 * seconds(group) / whole:.3f}%",
                title=f"{part}: {duration(seconds(group))}",
            )
            for index, (part, group) in enumerate(parts.items())
        ]
        bars.append(
            element(
                "div",
                element("span", title),
                element("span", *pieces, class_="strip", aria_hidden="true"),
                element("span", duration(seconds(stages)), class_="amount"),
                class_="bar-line",
            )
        )
    keys = [
        element(
            "li",
            element("span", class_=f"key part-{index % 6}"),
            part,
            element("span", f" {duration(seconds_of(group))} of {duration(alone_of(group))}", class_="quiet"),
        )
        for index, (part, group) in enumerate(parts.items())
    ]
    caption = element("figcaption", "Stage time by part of a run: time spent, out of the time of one run per trial.")
    return element("figure", *bars, element("ul", *keys, class_="keys"), caption, class_="bars")


def _functions(stages: Sequence[Stage]) -> Html:
    lines = []
    for name, group in sorted(by(stages, lambda each: each.stage).items(), key=lambda each: -seconds_of(each[1])):
        trials = [each.trials for each in group]
        each_of = str(trials[0]) if len(set(trials)) == 1 else f"{min(trials)} to {max(trials)}"
        cells = [
            Cell(", ".join(by(group, lambda each: each.part)), group[0].part, number=False),
            Cell(f"{len(group):,}", len(group)),
            Cell(each_of, sum(trials) / len(trials)),
            Cell(f"{sum(trials):,}", sum(trials)),
            Cell(f"{seconds_of(group):,.1f}", seconds_of(group)),
            Cell(f"{alone_of(group):,.1f}", alone_of(group)),
            Cell(f"{_saved(group):,.1f}", _saved(group)),
            Cell(f"{saved_share(group):.0f}", saved_share(group)),
        ]
        lines.append((name, cells))
    heads = [
        "stage function",
        "part",
        "run",
        "trials per stage",
        "in one run per trial",
        "seconds",
        "without sharing, s",
        "saved, s",
        "saved, %",
    ]
    return grid("Stages by function; each ran once, even if several trials need it", heads, lines)


def _devices(stages: Sequence[Stage]) -> Html:
    lines = []
    for name, group in by(stages, lambda each: f"{each.machine or 'unknown'} · {each.device or 'unknown'}").items():
        hours = [each.gpu_hours for each in group]
        known = [each for each in hours if each is not None]
        peaks = [each.peak_memory for each in group if each.peak_memory is not None]
        cells = [
            Cell(f"{len(group):,}", len(group)),
            Cell(f"{seconds_of(group):,.1f}", seconds_of(group)),
            Cell(f"{sum(known):.2f}", sum(known)) if len(known) == len(hours) else Cell("unknown", None),
            Cell(f"{max(peaks) / MIB:,.0f} MiB", max(peaks)) if peaks else Cell("unknown", None),
        ]
        lines.append((name, cells))
    heads = ["machine · device", "stages", "seconds", "GPU-hours", "peak memory"]
    return joined([grid("Stages by machine and device", heads, lines)])
