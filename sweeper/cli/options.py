"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

runs_option = click.option(
    "--runs",
    type=click.Path(path_type=Path),
    default="runs",
    show_default=True,
    envvar="SWEEPER_RUNS",
    help="Directory of the results, the tracking database and, unless another is named, the store.",
)


def space_options(command: Any) -> Any:
    """Add the options that choose a sweep."""
    for option in (
        click.option("--preset", help="Use another preset than the file's."),
        click.option("--seeds", help="Use other seeds than the file's: 0-4 or 0,2,5."),
        click.option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="Fix a value: adapter.lr=1e-3."),
        click.argument("space", type=click.Path(path_type=Path)),
    ):
        command = option(command)
    return command


def store_options(command: Any) -> Any:
    """Add the options that choose the store, see `place_of`."""
    for option in (
        click.option(
            "--cache-size",
            metavar="SIZE",
            default="20GiB",
            show_default=True,
            envvar="SWEEPER_CACHE_SIZE",
            help="Maximum size of the copies on a node.",
        ),
        click.option(
            "--cache",
            type=click.Path(path_type=Path),
            envvar="SWEEPER_CACHE",
            help="Directory on every node for copies from a bucket. [default: the user's cache directory there]",
        ),
        click.option(
            "--store",
            metavar="PLACE",
            envvar="SWEEPER_STORE",
            help="Store of the artifacts: a directory, s3://BUCKET/PREFIX or gs://BUCKET/PREFIX. "
            "[default: store in --runs]",
        ),
    ):
        command = option(command)
    return command


def runs_suffix(runs: Path) -> str:
    """Return ``--runs DIR`` for a suggested command, if it is not the default."""
    return "" if runs == Path("runs") else f" --runs {runs}"
