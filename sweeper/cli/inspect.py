"""``status``, ``list``, ``show``, ``diff`` and ``rm``: look at recorded sweeps and trials."""

from __future__ import annotations

from pathlib import Path

import click

from sweeper.cli.options import runs_option, runs_suffix

json_option = click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")


@click.command()
@click.argument("name")
@runs_option
@click.option("--watch", is_flag=True, help="Keep updating until the driver ends, or Ctrl-C.")
def status(name: str, runs: Path, watch: bool) -> None:
    """Show the progress of the sweep NAME, from any terminal: state, stages, trials by row, failures, time left."""
    from sweeper.cli.inspection.status import look, status_text, watch_sweep

    if not watch:
        click.echo(status_text(look(runs, name)))
        return
    from rich.console import Console

    watch_sweep(runs, name, Console())


@click.command("list")
@runs_option
def list_(runs: Path) -> None:
    """List the sweeps that were run, with their state and trials."""
    from sweeper.cli.inspection.listing import listing

    click.echo(listing(runs))


@click.command()
@click.argument("trial")
@runs_option
@json_option
def show(trial: str, runs: Path, as_json: bool) -> None:
    """Show everything about one TRIAL: config, numbers, stages, what made them.

    TRIAL is SWEEP/WORDS, such as "tiny/plus seed=1", with words of its label, or the first digits of its key.
    """
    from sweeper.cli.inspection.details import read_details
    from sweeper.cli.inspection.show import trial_json, trial_text
    from sweeper.planning.text import json_text
    from sweeper.records.trials import find_trial

    details = read_details(runs, find_trial(runs, trial))
    click.echo(json_text(trial_json(details, runs)) if as_json else trial_text(details, runs))


@click.command()
@click.argument("one")
@click.argument("other")
@runs_option
@json_option
def diff(one: str, other: str, runs: Path, as_json: bool) -> None:
    """Compare two trials, named as for show: config, stages that they share and where they part, numbers."""
    from sweeper.cli.inspection.compare import compare, comparison_text
    from sweeper.cli.inspection.details import read_details
    from sweeper.planning.text import json_text
    from sweeper.records.trials import find_trial

    comparison = compare(*(read_details(runs, find_trial(runs, trial)) for trial in (one, other)))
    click.echo(json_text(comparison) if as_json else comparison_text(comparison))


@click.command()
@click.argument("name")
@runs_option
@click.option("--yes", is_flag=True, help="Delete it; without this option, only show what would be deleted.")
def rm(name: str, runs: Path, yes: bool) -> None:
    """Delete the record, the results and the MLflow experiments of the sweep NAME, with --yes. Artifacts stay."""
    from sweeper.cli.inspection.removal import removal_of

    removal = removal_of(runs, name)
    for line in removal.lines():
        click.echo(line)
    click.echo(f"stays: artifacts, until sweeper store gc{runs_suffix(runs)}{_store_suffix(runs, name)}")
    if yes:
        removal.carry_out()
    click.echo("deleted" if yes else "nothing deleted yet; run it again with --yes")


def _store_suffix(runs: Path, name: str) -> str:
    from sweeper.records.trials import recorded_place

    place = recorded_place(runs, name)
    return f" --store {place.address}" if place else ""
