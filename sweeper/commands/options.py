"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

runs_option = click.option(
    "--runs", type=click.Path(path_type=Path), default="runs", show_default=True, envvar="SWEEPER_RUNS",
    help="Directory of the store, results and tracking database.",
)  # fmt: skip


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


def runs_suffix(runs: Path) -> str:
    """``--runs DIR`` for a command that is suggested, where it is not the default."""
    return "" if runs == Path("runs") else f" --runs {runs}"
