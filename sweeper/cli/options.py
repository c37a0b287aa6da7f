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
    """Options that say which sweep is meant."""
    for option in (
        click.option("--preset", help="Another complete base config than the file's."),
        click.option("--seeds", help="Other seeds than the file's: 0-4 or 0,2,5."),
        click.option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="Fix a value: adapter.lr=1e-3."),
        click.argument("space", type=click.Path(path_type=Path)),
    ):
        command = option(command)
    return command


def store_options(command: Any) -> Any:
    """Options that say where the artifacts lie; `place_of` understands them."""
    for option in (
        click.option(
            "--cache-size",
            metavar="SIZE",
            default="20GiB",
            show_default=True,
            envvar="SWEEPER_CACHE_SIZE",
            help="What the copies may take on a node.",
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
            help="Where the artifacts lie: a directory, s3://BUCKET/PREFIX or gs://BUCKET/PREFIX. "
            "[default: store in --runs]",
        ),
    ):
        command = option(command)
    return command


def runs_suffix(runs: Path) -> str:
    """``--runs DIR`` for a command that is suggested, where it is not the default."""
    return "" if runs == Path("runs") else f" --runs {runs}"
