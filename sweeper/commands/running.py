"""``run``: from a YAML file to its finished tables."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from sweeper.commands.options import runs_option, runs_suffix, space_options
from sweeper.commands.results import printed_table
from sweeper.errors import SweeperError


@click.command()
@space_options
@runs_option
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
        click.echo("\n" + printed_table(runs, each.name, "text"), nl=False)
    click.echo()
    for path in finished.results:
        click.echo(f"results: {path}")
    if not no_tracking:
        where = f"the MLflow UI at {tracking_uri}" if tracking_uri else f"sweeper ui{runs_suffix(runs)}"
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
