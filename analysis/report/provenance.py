"""The provenance of the results: code, packages, machines, times, published values, and the statistics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from analysis.published import published_table
from analysis.report.markup import Cell, Html, element, grid
from analysis.report.phrases import moment
from analysis.report.stages import Stage, by, seconds_of
from analysis.results import Results

CELLS = (
    "A cell shows mean ± standard deviation (with n − 1) over the trials of its row; a row with missing trials is "
    "marked and not ranked. The best of a column is bold, the second underlined."
)
METHODS = (
    "Differences from the baseline are paired by seed, so that effects of a seed on both rows cancel; the 95 % "
    "intervals are Student's t interval and the percentile bootstrap interval. With few seeds, trust the t interval.",
    "P-values are those of the paired t-test, corrected by Holm's method for the number of compared rows.",
    "Seeds needed is the approximate number with which such a test would detect a difference of this mean and "
    "deviation in four of five cases, at the level of Holm's first step.",
)
"""The methods of `analysis.differences`, in a few sentences."""


def provenance(sweeps: Sequence[Results], stages: Sequence[Stage]) -> Html:
    """Return commits, versions, machines and times of all stages, sources of published values, and the statistics."""
    parts: list[str] = [element("h2", "Provenance")]
    if stages:
        parts += [_lived(stages), _origins(stages), *_changes(stages), _versions(stages)]
    else:
        parts.append(element("p", "No stages are recorded yet, so code, packages and machines are unknown."))
    return element(
        "section",
        *parts,
        element("h3", "Published values"),
        _published(sweeps),
        element("h3", "Statistics"),
        *(element("p", sentence) for sentence in (CELLS, *METHODS)),
        id="provenance",
    )


def _lived(stages: Sequence[Stage]) -> Html:
    facts = [
        ("first stage started", moment(stages[0].started)),
        ("last stage started", moment(stages[-1].started)),
        ("machines", ", ".join(by(stages, lambda each: each.machine or "unknown"))),
        ("devices", ", ".join(by(stages, lambda each: each.device or "unknown"))),
    ]
    return element(
        "dl", *(element("div", element("dt", name), element("dd", value)) for name, value in facts), class_="facts"
    )


def _origins(stages: Sequence[Stage]) -> Html:
    groups = by(stages, lambda each: each.commit or "")
    lines = [
        (
            element("code", commit.rstrip("+") or "unknown"),
            [
                Cell.of(_tree(commit)),
                Cell(f"{len(group):,}", len(group)),
                Cell(f"{seconds_of(group):,.1f}", seconds_of(group)),
            ],
        )
        for commit, group in groups.items()
    ]
    return grid("Commits that stages were run from", ["commit", "files", "stages", "seconds"], lines)


def _changes(stages: Sequence[Stage]) -> Iterator[Html]:
    """Yield the differences of code from its commit, folded."""
    for (commit, diff), group in _grouped(stages).items():
        title = f"Changes since {commit.rstrip('+')[:12]}, {len(group):,} stage{'s' if len(group) > 1 else ''}"
        yield element("details", element("summary", title), element("pre", element("code", diff)))


def _grouped(stages: Sequence[Stage]) -> dict[tuple[str, str], list[Stage]]:
    groups: dict[tuple[str, str], list[Stage]] = {}
    for each in stages:
        if each.diff:
            groups.setdefault((each.commit or "", each.diff), []).append(each)
    return groups


def _tree(commit: str) -> str:
    return "outside a repository" if not commit else "changed (+)" if commit.endswith("+") else "as committed"


def _versions(stages: Iterable[Stage]) -> Html:
    found: dict[str, dict[str, None]] = {}
    for packages in {each.packages: each for each in stages}.values():
        for name, version in packages.versions.items():
            found.setdefault(name, {})[version] = None
    lines = [(name, [Cell.of(", ".join(versions))]) for name, versions in found.items()]
    return grid("Versions that stages were run with", ["package", "version"], lines)


def _published(sweeps: Sequence[Results]) -> Html:
    lines = []
    for index, results in enumerate(sweeps):
        reference, preset = results.described.published, results.described.preset
        source = published_table(reference, preset).note.partition(": ")[2] if reference else "none"
        lines.append((element("a", results.name, href=f"#sweep-{index}"), [Cell.of(source)]))
    return grid("Sources of published values", ["sweep", "source"], lines)
