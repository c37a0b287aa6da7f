"""The command line. Everything heavy is imported inside the command that needs it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from sweeper import __version__
from sweeper.errors import SweeperError

INTERRUPTED = 130


class _Group(click.Group):
    """Prints errors that a user can cause without a traceback, and exits with 2."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except SweeperError as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(2)
        except KeyboardInterrupt:
            click.echo("interrupted; the same command goes on where this one stopped", err=True)
            sys.exit(INTERRUPTED)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="sweeper")
def main() -> None:
    """One YAML file to a finished ablation table. Trials that agree up to a point share the work up to it."""
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)  # trainables of the user's own


_runs = click.option(
    "--runs", type=click.Path(path_type=Path), default="runs", show_default=True, envvar="SWEEPER_RUNS",
    help="Directory of the store, results and tracking database.",
)  # fmt: skip


def _space_options(command: Any) -> Any:
    """Options that say which sweep is meant."""
    for option in (
        click.option("--preset", help="Another complete base config than the file's."),
        click.option("--seeds", help="Other seeds than the file's: 0-4 or 0,2,5."),
        click.option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="Fix a value: adapter.lr=1e-3."),
        click.argument("space", type=click.Path(path_type=Path)),
    ):
        command = option(command)
    return command


@main.command()
@_space_options
@_runs
@click.option("--inline", is_flag=True, help="Run in this process, one stage after the other, without Ray.")
@click.option("--address", help="Ray cluster to run on; without it one is started on this machine.")
@click.option("--max-concurrent", type=click.IntRange(1), help="Stages at a time at most. [default: one per CPU]")
@click.option(
    "--save-seconds", type=click.FloatRange(0), default=20.0, show_default=True,
    help="How often a stage saves its progress: what an interruption costs at most.",
)  # fmt: skip
@click.option("--tracking-uri", envvar="MLFLOW_TRACKING_URI", help="MLflow server. [default: a database in --runs]")
@click.option("--no-tracking", is_flag=True, help="Do not write to MLflow.")
def run(
    space: Path,
    sets: tuple[str, ...],
    seeds: str | None,
    preset: str | None,
    runs: Path,
    inline: bool,
    address: str | None,
    max_concurrent: int | None,
    save_seconds: float,
    tracking_uri: str | None,
    no_tracking: bool,
) -> None:
    """Run what is missing of the sweep in the YAML file SPACE, and print its tables.

    Say the same again after any interruption: it goes on. Exits with 1 when trials failed.
    """
    from rich.console import Console

    from sweeper.sweep import load_sweep

    sweep = load_sweep(space, sets=sets, seeds=seeds, preset=preset)
    from sweeper.run import Options, run_sweep

    if inline and (address or max_concurrent):
        raise SweeperError("--inline runs in this process", fix="leave out --address and --max-concurrent")
    options = Options(
        runs=runs, inline=inline, address=address, max_concurrent=max_concurrent, save_seconds=save_seconds,
        tracking=not no_tracking, tracking_uri=tracking_uri,
    )  # fmt: skip
    finished = run_sweep(sweep, options, Console(stderr=True))
    for each in sweep.spaces:
        click.echo("\n" + _table(runs, each.name, "text"), nl=False)
    click.echo()
    for path in finished.results:
        click.echo(f"results: {path}")
    if not no_tracking:
        where = f"the MLflow UI at {tracking_uri}" if tracking_uri else f"sweeper ui{_option('--runs', runs)}"
        click.echo(f"compare: {where}")
    if finished.broken_tracking:
        click.echo(f"MLflow stopped answering: {finished.broken_tracking}", err=True)
        click.echo("  the same command writes the rest", err=True)
    for stage, trace in finished.traces.items():
        click.echo(f"\n{stage} failed:\n{trace}", err=True)
    if finished.interrupted:
        raise KeyboardInterrupt
    if finished.failed:
        counts = f"{finished.failed} of {sum(len(each.trials) for each in sweep.spaces)} trials failed"
        click.echo(f"{counts}; the same command tries them again", err=True)
        sys.exit(1)


@main.command()
@_space_options
@_runs
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def plan(
    space: Path, sets: tuple[str, ...], seeds: str | None, preset: str | None, runs: Path, as_json: bool
) -> None:
    """Count trials, stages and seconds of the sweep in SPACE: what is shared, cached, still to run. Runs nothing."""
    from sweeper.sweep import load_sweep

    sweep = load_sweep(space, sets=sets, seeds=seeds, preset=preset)
    from sweeper.plan import Graph
    from sweeper.store import Store
    from sweeper.summary import headline, savings, summarise

    summary = summarise(Graph.of(sweep), Store(runs / "store"))
    if as_json:
        click.echo(json.dumps(summary, indent=1))
        return
    click.echo(headline(summary))
    click.echo(savings(summary))
    width = max(map(len, summary["functions"]))
    for label, counts in summary["functions"].items():
        click.echo(f"  {label:{width}}  {counts['unique']:6} unique  {counts['cached']:6} cached")


@main.command()
@click.argument("name")
@_runs
@click.option("--format", "how", type=click.Choice(["text", "md", "csv", "json"]), default="text", show_default=True)
def table(name: str, runs: Path, how: str) -> None:
    """Print the table of the finished sweep NAME."""
    click.echo(_table(runs, name, how), nl=False)


@main.command()
@_runs
@click.option("--port", type=click.IntRange(1, 65535), help="Port on the loopback interface. [default: a free one]")
def ui(runs: Path, port: int | None) -> None:
    """Open the sweeps' runs in the MLflow UI, on this machine only, until Ctrl-C."""
    from sweeper.ui import serve

    serve(runs, port)


@main.command()
@click.argument("trainable")
@click.option("--preset", help="Show this preset's values.")
def describe(trainable: str, preset: str | None) -> None:
    """List every name that can be swept of TRAINABLE, with its type, value and meaning."""
    from sweeper.describe import description

    click.echo(description(trainable, preset), nl=False)


def _table(runs: Path, name: str, how: Any) -> str:
    from analysis.tables import NoTable, read_results, summarise

    try:
        return summarise(read_results(runs / "results", name)).render(how)
    except NoTable as error:
        raise SweeperError(str(error)) from None


def _option(name: str, value: Path) -> str:
    return "" if value == Path("runs") else f" {name} {value}"
