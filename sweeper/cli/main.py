"""The command line: its commands, and the printing of errors."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from sweeper import __version__
from sweeper.cli.doctor import doctor
from sweeper.cli.export import export
from sweeper.cli.figures import figures
from sweeper.cli.inspect import diff, list_, rm, show, status
from sweeper.cli.plan import describe, plan
from sweeper.cli.report import report
from sweeper.cli.run import retry, run
from sweeper.cli.schema import schema
from sweeper.cli.store import store
from sweeper.cli.table import table, ui
from sweeper.errors import SweeperError
from sweeper.trainable.search_path import append

INTERRUPTED = 130


class _Group(click.Group):
    """Prints errors that a user can cause without a traceback, and exits with 2, or with their exit code."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except SweeperError as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("interrupted; run the same command again to resume", err=True)
            sys.exit(INTERRUPTED)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="sweeper")
def main() -> None:
    """One YAML file to a finished ablation table. Trials that agree up to a point share the work up to it."""
    append(str(Path.cwd()))


_COMMANDS = (
    run,
    retry,
    plan,
    status,
    list_,
    table,
    figures,
    report,
    show,
    diff,
    ui,
    export,
    describe,
    schema,
    rm,
    store,
    doctor,
)
for _command in _COMMANDS:
    main.add_command(_command)
