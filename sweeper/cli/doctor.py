"""``doctor``: check whether sweeps can run here, and on every node of a cluster."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from sweeper.cli.options import runs_option, store_options
from sweeper.records.layout import place_of


@click.command()
@runs_option
@store_options
@click.option("--address", help="Ray cluster whose nodes are checked too.")
@click.option("--tracking-uri", envvar="MLFLOW_TRACKING_URI", help="MLflow server. [default: a database in --runs]")
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
def doctor(runs: Path, address: str | None, tracking_uri: str | None, as_json: bool, **place: Any) -> None:
    """Check what sweeps need: packages, devices, store, disk, MLflow, and the nodes of a cluster.

    Exits with 1 when a check failed.
    """
    from sweeper.cli.health.checks import diagnose

    checks = []
    for check in diagnose(runs, place_of(runs, **place), address, tracking_uri):
        checks.append(check)
        if not as_json:
            click.echo(str(check))
    if as_json:
        click.echo(json.dumps([asdict(each) for each in checks], indent=1))
    if any(each.status == "FAIL" for each in checks):
        sys.exit(1)
