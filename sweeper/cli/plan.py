"""``plan`` and ``describe``: show what would run, and what can be swept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from sweeper.cli.options import runs_option, space_options, store_options
from sweeper.errors import SweeperError
from sweeper.records.layout import place_of


@click.command()
@space_options
@runs_option
@store_options
@click.option("--slots", type=click.IntRange(1), help="Stages at a time in the expected time. [default: one per CPU]")
@click.option("--graph", type=click.Path(path_type=Path), metavar="FILE", help="Draw the graph as .svg or .html.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def plan(
    space: Path,
    sets: tuple[str, ...],
    seeds: str | None,
    preset: str | None,
    runs: Path,
    slots: int | None,
    graph: Path | None,
    as_json: bool,
    **place: Any,
) -> None:
    """Show what the rows of SPACE share, what is cached, and how long the rest takes. Runs nothing."""
    from sweeper.planning.svg import check_suffix, draw

    if graph:
        check_suffix(graph)
    from sweeper.space.sweep import load_sweep

    sweep = load_sweep(space, sets=sets, seeds=seeds, preset=preset)
    from sweeper.planning.forecast import Forecast
    from sweeper.planning.graph import Graph
    from sweeper.planning.preview import preview
    from sweeper.store import open_store
    from sweeper.trainable.resources import own_cpus

    planned = Graph.of(sweep)
    if graph and not planned.stages:
        raise SweeperError(f"{sweep.name} is a search: it has no graph before it runs", fix="leave out --graph")
    forecast = Forecast.of(planned, open_store(place_of(runs, **place)), slots or own_cpus())
    told = forecast.as_json()
    click.echo(json.dumps(told, indent=1) if as_json else preview(told, forecast.sharing))
    if graph:
        draw(forecast, told, graph)
        click.echo(f"graph: {graph}", err=as_json)


@click.command()
@click.argument("trainable")
@click.option("--preset", help="Show this preset's values.")
def describe(trainable: str, preset: str | None) -> None:
    """List every name that can be swept of TRAINABLE, with its type, value and meaning."""
    from sweeper.cli.inspection.describe import description

    click.echo(description(trainable, preset), nl=False)
