"""``report``: write sweeps as one page."""

from __future__ import annotations

from pathlib import Path

import click

from sweeper.cli.figures import own_figures_or_none
from sweeper.cli.options import runs_option
from sweeper.errors import SweeperError
from sweeper.records.layout import RunsDirectory


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@runs_option
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default="report.html", show_default=True, help="The file."
)
@click.option("--mlflow", metavar="URL", help="Address of sweeper ui. [default: http://127.0.0.1:5000]")
def report(names: tuple[str, ...], runs: Path, output: Path, mlflow: str | None) -> None:
    """Write the sweeps NAME as one page that needs no network: tables, figures, configs, what was shared.

    An unfinished sweep says what is missing. Trials lead to their runs in MLflow, as long as sweeper ui answers.
    """
    from rich.filesize import decimal

    spaces = list(dict.fromkeys(space for name in names for space in _spaces(runs, name)))
    written = _page(runs, spaces, ", ".join(names), mlflow)
    try:
        output.write_text(written, encoding="utf-8")
    except OSError as error:
        raise SweeperError(f"{output} cannot be written: {error.strerror}", fix="choose another file with -o") from None
    click.echo(f"report: {output} ({decimal(output.stat().st_size)})")


def _spaces(runs: Path, name: str) -> list[str]:
    from sweeper.records.trials import spaces_of

    if found := spaces_of(runs, name):
        return found
    raise SweeperError(f"{name} has no results yet", fix=f"see how far it is: sweeper status {name}")


def _page(runs: Path, spaces: list[str], title: str, mlflow: str | None) -> str:
    from analysis.report import page
    from analysis.results import NoTable, read_results

    try:
        sweeps = [read_results(RunsDirectory(runs).results, space) for space in spaces]
        links = {space: _links(runs, space, mlflow) for space in spaces}
        return page(sweeps, links, title, {each.name: own_figures_or_none(each) for each in sweeps})
    except NoTable as error:
        raise SweeperError(str(error)) from None


def _links(runs: Path, space: str, mlflow: str | None) -> dict[str, str]:
    """Return the links to MLflow; None if it does not respond, as a report can do without."""
    from sweeper.tracking.links import LOCAL, run_links

    try:
        return run_links(runs, space, (mlflow or LOCAL).rstrip("/"))
    except SweeperError as error:
        click.echo(f"{space} is not linked to MLflow: {error.message}", err=True)
        return {}
