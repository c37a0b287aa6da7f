"""``plan`` and ``describe``: what would run, and what can be swept."""

from __future__ import annotations

import json
from pathlib import Path

import click

from sweeper.commands.options import runs_option, space_options


@click.command()
@space_options
@runs_option
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


@click.command()
@click.argument("trainable")
@click.option("--preset", help="Show this preset's values.")
def describe(trainable: str, preset: str | None) -> None:
    """List every name that can be swept of TRAINABLE, with its type, value and meaning."""
    from sweeper.describe import description

    click.echo(description(trainable, preset), nl=False)
