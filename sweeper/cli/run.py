"""``run`` and ``retry``: run a YAML file to its finished tables."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sweeper.cli.given import given, kept
from sweeper.cli.options import runs_option, runs_suffix, space_options, store_options
from sweeper.cli.table import printed_table
from sweeper.errors import SweeperError
from sweeper.records.layout import place_of
from sweeper.records.passwords import without_password

if TYPE_CHECKING:
    from sweeper.engine.ending import Finished
    from sweeper.space.sweep import Sweep


def engine_options(command: Any) -> Any:
    """Add the options for how a sweep is run. None of them changes a result."""
    for option in (
        click.option("--no-tracking", is_flag=True, help="Track nothing."),
        click.option(
            "--tracker",
            metavar="NAME",
            default="mlflow",
            show_default=True,
            help="Tracker of the sweep: mlflow, or the name of an installed one.",
        ),
        click.option(
            "--tracking-uri", envvar="MLFLOW_TRACKING_URI", help="MLflow server. [default: a database in --runs]"
        ),
        click.option(
            "--save-seconds",
            type=click.FloatRange(0),
            default=20.0,
            show_default=True,
            help="Interval at which stages save progress: the most that an interruption costs.",
        ),
        click.option(
            "--rerun",
            multiple=True,
            metavar="STAGE",
            help="Recompute the artifacts of a stage, and all that depend on them, if other code or packages made "
            "them; and try its diverged ones again.",
        ),
        click.option(
            "--max-concurrent", type=click.IntRange(1), help="Stages at a time at most. [default: one per CPU]"
        ),
        click.option(
            "--address", help="Ray cluster to run on, from one of its nodes: auto, or HOST:PORT. [default: one here]"
        ),
        click.option(
            "--executor",
            metavar="NAME",
            default="ray",
            show_default=True,
            help="What runs the stages: ray; inline for this process, one stage after the other, without Ray; or the "
            "name of an installed one.",
        ),
        click.option(
            "--optuna-storage",
            metavar="URL",
            envvar="SWEEPER_OPTUNA_STORAGE",
            help="Database of the studies of searched spaces. [default: a file in --runs]",
        ),
        store_options,
        runs_option,
    ):
        command = option(command)
    return command


@click.command()
@space_options
@engine_options
@click.pass_context
def run(
    context: click.Context, /, space: Path, sets: tuple[str, ...], seeds: str | None, preset: str | None, **engine: Any
) -> None:
    """Run what is missing of the sweep in the YAML file SPACE, and print its tables.

    Say the same again after any interruption: it goes on. Exits with 1 when trials failed.
    """
    from sweeper.space.sweep import load_sweep

    sweep = load_sweep(space, sets=sets, seeds=seeds, preset=preset)
    _run(sweep, failed_only=False, given=given(context, engine), **engine)


@click.command()
@click.argument("name")
@engine_options
@click.pass_context
def retry(context: click.Context, /, name: str, **engine: Any) -> None:
    """Run the failed trials of the sweep NAME, and no others, with the options of its last run.

    Options that are given here replace those; --rerun holds for one run only.
    """
    from sweeper.records.sweep import read_record
    from sweeper.space.sweep import load_sweep

    record = read_record(engine["runs"], name)
    sweep = load_sweep(record.file, sets=record.sets, seeds=record.seeds, preset=record.preset)
    if sweep.name != name:
        fix = "run the file under its new name"
        raise SweeperError(f"{record.file} is no longer the sweep {name}, but {sweep.name}", fix=fix)
    before = kept(context, record.options)
    _run(sweep, failed_only=True, given={**given(context, engine), **before}, **{**engine, **before})


def _run(
    sweep: Sweep,
    *,
    runs: Path,
    store: str | None,
    cache: Path | str | None,
    cache_size: str,
    tracker: str | None,
    no_tracking: bool,
    **other: Any,
) -> None:
    """Run the sweep and print what it has found. ``other`` are options of these names."""
    from rich.console import Console

    from analysis.contract import FOUND
    from sweeper.engine.options import Options
    from sweeper.engine.run import run_sweep
    from sweeper.tracking.base import MLFLOW

    place = place_of(runs, store, Path(cache) if cache else None, cache_size)
    options = Options(runs, place, tracker=None if no_tracking else tracker, **other)
    finished = run_sweep(sweep, options, Console(stderr=True))
    for path in finished.results:
        click.echo("\n" + printed_table(runs, path.parent.name, "text"), nl=False)
    click.echo()
    for path in finished.results:
        click.echo(f"results: {path}")
        for picture in sorted((path.parent / FOUND).glob("*.png")):
            click.echo(f"figure: {picture}")
    if options.tracker == MLFLOW:
        where = (
            f"the MLflow UI at {without_password(options.tracking_uri)}"
            if options.tracking_uri
            else f"sweeper ui{runs_suffix(runs)}"
        )
        click.echo(f"compare: {where}")
    _say_what_went_wrong(finished, finished.trials)


def _say_what_went_wrong(finished: Finished, trials: int) -> None:
    if finished.broken_tracking:
        click.echo(finished.broken_tracking, err=True)
        click.echo("  run the same command again to write the rest", err=True)
    for stage, trace in finished.traces.items():
        click.echo(f"\n{stage} failed:\n{trace}", err=True)
    if finished.failed:
        again = finished.failed - finished.diverged
        what = f"; run the same command again to retry {again if finished.diverged else 'them'}" if again else ""
        click.echo(f"{finished.failed} of {trials} trials failed{what}", err=True)
    if finished.diverged:
        fix = "change their parameters, or force them with --rerun STAGE"
        click.echo(f"  {finished.diverged} diverged and would diverge again: {fix}", err=True)
    if finished.state == "interrupted":
        raise KeyboardInterrupt
    if finished.state == "lost":
        click.echo(f"error: {finished.note}\n  fix: fix that, then run the same command again to resume", err=True)
    if finished.failed or finished.state == "lost":
        sys.exit(1)
