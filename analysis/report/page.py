"""The page of a report: its parts, style, scripts and content security policy."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import Template

from analysis.figures import Drawing
from analysis.report.markup import Html, element, joined
from analysis.report.overview import overview
from analysis.report.packing import plotly_block, plotly_script
from analysis.report.provenance import provenance
from analysis.report.sharing import sharing
from analysis.report.stages import stages_of
from analysis.report.stills import Stills
from analysis.report.sweep import section
from analysis.results import Results

HERE = Path(__file__).parent
SCRIPTS = ("contents.js", "tables.js", "charts.js")
"""Scripts at the end of the page, in this order. ``theme.js`` runs before anything is shown."""
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; script-src {}; base-uri 'none'; "
    "form-action 'none'"
)
"""Content security policy: the page makes no requests, and runs only its own scripts."""


def page(
    sweeps: Sequence[Results],
    links: Mapping[str, Mapping[str, str]] | None = None,
    title: str | None = None,
    own: Mapping[str, Mapping[str, Drawing]] | None = None,
) -> str:
    """Return the results of sweeps as one self-contained HTML page. The same results give the same page.

    Args:
        sweeps: the sweeps, in the order of the page.
        links: addresses of tracked trials, by sweep and label of the trial.
        title: title of the page; by default the sweeps' names.
        own: figures of the sweeps' trainables, by sweep and name of the figure.

    Raises NoTable if results cannot be read as a table.
    """
    title = title or ", ".join(results.name for results in sweeps)
    stills = Stills()
    sections = [
        section(each, f"sweep-{index}", (links or {}).get(each.name, {}), stills, (own or {}).get(each.name, {}))
        for index, each in enumerate(sweeps)
    ]
    stages = stages_of(sweeps)
    main = joined([overview(sweeps, stages, title), *sections, sharing(sweeps, stages), provenance(sweeps, stages)])
    scripts = [_asset(name) for name in SCRIPTS]
    return Template(_asset("page.html")).substitute(
        title=element("title", f"{title} · sweep report"),
        name=element("span", title),
        policy=_policy([_asset("theme.js"), *scripts, plotly_script()]),
        style=_asset("page.css"),
        theme=_asset("theme.js"),
        contents=_contents(sweeps),
        main=main,
        packed=joined([stills.letters(), stills.block(), plotly_block()]),
        scripts="\n".join(f"<script>{script}</script>" for script in scripts),
    )


def _asset(name: str) -> str:
    return (HERE / name).read_text()


def _policy(scripts: Iterable[str]) -> str:
    sums = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    return POLICY.format(" ".join(f"'sha256-{each}'" for each in sums))


def _contents(sweeps: Sequence[Results]) -> Html:
    places = [
        ("overview", "Overview"),
        *((f"sweep-{index}", results.name) for index, results in enumerate(sweeps)),
        ("sharing", "Computation and sharing"),
        ("provenance", "Provenance"),
    ]
    return joined(element("li", element("a", name, href=f"#{place}")) for place, name in places)
