"""``figures``: write the figures of finished sweeps, as files for a paper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sweeper.cli.options import runs_option
from sweeper.errors import SweeperError
from sweeper.records.layout import RunsDirectory

if TYPE_CHECKING:
    from analysis.figures import Drawing
    from analysis.results import Results


@click.command()
@click.argument("names", metavar="NAME…", nargs=-1, required=True)
@click.option(
    "-o",
    "directory",
    type=click.Path(path_type=Path),
    default="figures",
    show_default=True,
    help="Directory to write them into.",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(["pdf", "svg", "png"]),
    default=("pdf", "png"),
    show_default=True,
    help="Format of the files; repeat it for another one.",
)
@runs_option
def figures(names: tuple[str, ...], directory: Path, formats: tuple[str, ...], runs: Path) -> None:
    """Draw the figures of the sweeps NAME, each as NAME-FIGURE.pdf and .png, one paper column wide.

    Those of its trainable come first. What a sweep has not measured is not drawn, and said.
    """
    from analysis.results import NoTable, read_results

    try:
        for results in [read_results(RunsDirectory(runs).results, name) for name in dict.fromkeys(names)]:
            for line in _drawn(results, directory, formats):
                click.echo(line)
    except NoTable as error:
        raise SweeperError(str(error)) from None


def own_figures_or_none(results: Results) -> Mapping[str, Drawing]:
    """Return the figures that a sweep's trainable names; none, and a line that says why, where it is not here."""
    from sweeper.records.own_figures import own_figures

    try:
        return own_figures(results)
    except SweeperError as error:
        name = results.described.trainable
        click.echo(f"{results.name}: figures of trainable '{name}' are left out: {error.message}", err=True)
        return {}


def _drawn(results: Results, directory: Path, formats: Iterable[str]) -> Iterator[str]:
    """Draw the figures of a sweep; yields the path of each file, or why there is none. Raises NoTable."""
    from analysis.figures import FIGURES, save

    for name, drawing in {**own_figures_or_none(results), **FIGURES}.items():
        figure = drawing.draw(results)
        if figure is None:
            yield f"{results.name}-{name}: none, {drawing.lacking(results)}"
            continue
        for suffix in dict.fromkeys(formats):
            path = directory / f"{results.name}-{name}.{suffix}"
            try:
                directory.mkdir(parents=True, exist_ok=True)
                save(figure, path)
            except OSError as error:
                fix = "choose another directory with -o"
                raise SweeperError(f"{path} cannot be written: {error.strerror}", fix=fix) from None
            yield str(path)
