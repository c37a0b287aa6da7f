"""``table`` and ``ui``: show the results of sweeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sweeper.cli.options import runs_option
from sweeper.errors import SweeperError
from sweeper.records.layout import RunsDirectory

FORMATS = ("text", "md", "latex", "html", "csv", "json")
"""The formats of `analysis.formats`, which loads slowly."""


@click.command()
@click.argument("name")
@runs_option
@click.option("--format", "how", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--statistics", is_flag=True, help="Also print every row's difference from the baseline, with intervals.")
def table(name: str, runs: Path, how: str, statistics: bool) -> None:
    """Print the table of the finished sweep NAME."""
    click.echo(printed_table(runs, name, how, statistics=statistics), nl=False)


@click.command()
@click.argument("name", required=False)
@runs_option
@click.option("--port", type=click.IntRange(1, 65535), help="Port on the loopback interface. [default: a free one]")
@click.option("--no-browser", is_flag=True, help="Only print the addresses.")
def ui(name: str | None, runs: Path, port: int | None, no_browser: bool) -> None:
    """Compare the trials of the sweep NAME, by default the last one, in the MLflow UI.

    Serves it on this machine only, until Ctrl-C. Prints the address of the page that compares the finished trials of
    each search space (100 at most: then every row with its first seeds) and opens the first in a browser.
    """
    from sweeper.tracking.server import show_runs

    show_runs(runs, name, port, browse=not no_browser)


def printed_table(runs: Path, name: str, how: Any = "text", *, statistics: bool = False) -> str:
    """Format the table of a sweep; ``click.echo`` removes styles where they are not shown. Raises SweeperError."""
    from analysis.formats import render
    from analysis.results import NoTable, read_results
    from analysis.summary import summarise

    try:
        summary = summarise(read_results(RunsDirectory(runs).results, name))
    except NoTable as error:
        raise SweeperError(str(error)) from None
    return render(summary, how, statistics=statistics, styled=True)
