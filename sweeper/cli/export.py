"""``export``: write results from MLflow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sweeper.cli.options import runs_option
from sweeper.errors import SweeperError

if TYPE_CHECKING:
    from sweeper.tracking.export import Row


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--from-mlflow", is_flag=True, help="Read the trials' runs in MLflow; there is no other source.")
@click.option("--tracking-uri", envvar="MLFLOW_TRACKING_URI", help="MLflow server. [default: the database in --runs]")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    default="exported",
    show_default=True,
    help="Directory of the results, as --runs takes it: read them by `sweeper table NAME --runs DIR`.",
)
@runs_option
def export(names: tuple[str, ...], from_mlflow: bool, tracking_uri: str | None, output: Path, runs: Path) -> None:
    """Write the results of the sweeps NAME, by default of all, as Parquet files from their runs in MLflow.

    No store is needed. A trial without a run is missing. What MLflow does not know is null: the costs of trials that
    have not finished. Stages and learning curves stay there.
    """
    if not from_mlflow:
        raise SweeperError("choose where to export from", fix="run sweeper export --from-mlflow")
    from rich.console import Console
    from rich.progress import track

    from sweeper.records.layout import RunsDirectory
    from sweeper.tracking.export import export_results

    console = Console(stderr=True)

    def shown(rows: Sequence[Row], what: str) -> Iterable[Row]:
        return track(rows, what, console=console, transient=True, disable=not console.is_terminal)

    for each in export_results(tracking_uri or RunsDirectory(runs).tracking_uri, names, output, shown):
        look = f"sweeper table {each.name} --runs {output}"
        click.echo(f"{each.name}: {each.finished} of {each.trials} trials finished; {look}")
