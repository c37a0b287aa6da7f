"""``store``: list artifacts, verify them, delete unneeded ones, show disk usage."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sweeper.cli.options import runs_option, store_options
from sweeper.errors import SweeperError, nearest
from sweeper.planning.text import aligned
from sweeper.records.layout import RunsDirectory, place_of

if TYPE_CHECKING:
    from sweeper.cli.inspection.garbage import Artifact, Rubbish
    from sweeper.store.base import Place, Store

LINES = 50
"""Number of artifacts that ``ls`` prints without ``--all``."""


@click.group()
def store() -> None:
    """Look after the artifacts: list, verify, collect what nothing needs, see what takes the disk."""


@store.command()
@runs_option
@store_options
@click.option("--stage", metavar="FUNCTION", help="Only artifacts of this stage function.")
@click.option("--all", "everything", is_flag=True, help=f"Print more than the newest {LINES}.")
@click.option("--json", "as_json", is_flag=True, help="Print all of them as JSON.")
def ls(runs: Path, stage: str | None, everything: bool, as_json: bool, **place: Any) -> None:
    """List the artifacts, newest first, with the number of search spaces whose results need them."""
    from sweeper.cli.inspection.garbage import artifacts, read_needs

    with _opened(place_of(runs, **place)) as opened:
        found = artifacts(opened, read_needs(runs))
    functions = sorted({each.function for each in found})
    if stage is not None and stage not in functions:
        fix = nearest(stage, functions) if functions else "the store is empty"
        raise SweeperError(f"no artifacts of a stage function '{stage}'", fix=fix)
    found = [each for each in found if stage in (None, each.function)]
    if as_json:
        click.echo(json.dumps([_plain(each) for each in found], indent=1))
        return
    shown = found if everything else found[:LINES]
    head = ("key", "size", "seconds", "made", "needed by", "stage")
    for line in aligned([head, *map(_line, shown)], right=(1, 2, 4)):
        click.echo(line)
    if len(shown) < len(found):
        click.echo(f"and {len(found) - len(shown):,} older ones; --all lists them")


@store.command()
@runs_option
@store_options
def verify(runs: Path, **place: Any) -> None:
    """Check every sum of every artifact, and set damaged ones aside. Exits with 1 when there were any."""
    from rich.console import Console
    from rich.progress import track

    from sweeper.cli.inspection.garbage import artifacts
    from sweeper.store.base import Damaged

    damaged = checked = 0
    console = Console(stderr=True)
    with _opened(place_of(runs, **place)) as opened:
        present = artifacts(opened, {})
        for each in track(present, "verifying", console=console, transient=True, disable=not console.is_terminal):
            fault = opened.verify(each.key)
            if fault and each.key not in opened.all_keys():
                continue  # collected or set aside meanwhile
            checked += 1
            name = f"{each.key[:12]} {each.stage}"
            with suppress(Damaged):
                if fault:
                    damaged += 1
                    click.echo(f"damaged  {name}: {fault}")
                    opened.quarantine(each.key)
                else:
                    for file in opened.unlisted(each.key):
                        click.echo(f"unlisted {name}: {file} is not in the manifest")
    if damaged:
        click.echo(f"{damaged:,} of {checked:,} artifacts are damaged and quarantined; the next run makes them again")
        sys.exit(1)
    click.echo(f"{checked:,} artifacts, all whole")


@store.command()
@runs_option
@store_options
@click.option("--yes", is_flag=True, help="Delete; without it only counts are shown.")
def gc(runs: Path, yes: bool, **place: Any) -> None:
    """Delete what no results in --runs need, and what dead processes left. Safe beside a running sweep."""
    from sweeper.cli.inspection.garbage import find_rubbish, remove_rubbish

    with _opened(place_of(runs, **place)) as opened:
        found, results = find_rubbish(opened, runs), RunsDirectory(runs).results
        for line in _counted(found):
            click.echo(line)
        if not any(results.glob("*/")) and any(each.kind == "artifacts" for each in found):
            click.echo(f"{results} has no results: these are all artifacts of the store")
        if yes:
            remove_rubbish(opened, found)
    total = f"{len(found):,} things, {_size(sum(each.bytes for each in found))}"
    if not found:
        click.echo("nothing to delete")
    else:
        click.echo(f"{total}: deleted" if yes else f"{total}: nothing deleted; --yes deletes")


@store.command()
@runs_option
@store_options
@click.option("--json", "as_json", is_flag=True, help="Print bytes as JSON.")
def du(runs: Path, as_json: bool, **place: Any) -> None:
    """Show what takes the disk: by stage function, by search space, and the rest."""
    from sweeper.cli.inspection.garbage import read_needs, usage

    with _opened(place_of(runs, **place)) as opened:
        used = usage(opened, read_needs(runs))
    if as_json:
        click.echo(json.dumps(used, indent=1))
        return
    rows = [("stage function", "artifacts", "size", "")]
    rows += [(name, f"{each['artifacts']:,}", _size(each["bytes"]), "") for name, each in used["functions"].items()]
    rows += [("", "", "", ""), ("results", "artifacts", "size", "needed by it alone")]
    for name, each in used["spaces"].items():
        rows.append((name, f"{each['artifacts']:,}", _size(each["bytes"]), _size(each["own_bytes"])))
    rows.append(("", "", "", ""))
    for kind in ("progress", "damaged", "being_written", "leftovers", "total", "free"):
        if used[kind] is not None:
            rows.append((kind.replace("_", " "), "", _size(used[kind]), ""))
    for line in aligned(rows, right=(1, 2, 3)):
        click.echo(line)


@contextmanager
def _opened(place: Place) -> Iterator[Store]:
    """Open the store, and turn failures of the filesystem into one clear error."""
    from sweeper.store import open_store
    from sweeper.store.base import Unreachable

    found = open_store(place)
    try:
        found.check_exists()
        yield found
    except Unreachable:
        raise
    except OSError as error:
        fix = "check its owner and the disk"
        raise SweeperError(f"{error.filename or place.address}: {error.strerror or error}", fix=fix) from None


def _counted(found: Iterable[Rubbish]) -> list[str]:
    counts: Counter[tuple[str, str]] = Counter()
    sizes: Counter[tuple[str, str]] = Counter()
    for each in found:
        counts[each.kind, each.function] += 1
        sizes[each.kind, each.function] += each.bytes
    return aligned([(*group, f"{count:,}", _size(sizes[group])) for group, count in counts.items()], right=(2, 3))


def _line(each: Artifact) -> tuple[str, ...]:
    made = each.made.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return each.key[:12], _size(each.bytes), f"{each.seconds:,.1f}", made, f"{len(each.needed_by)}", each.stage


def _plain(each: Artifact) -> dict[str, Any]:
    return {**asdict(each), "made": each.made.isoformat()}


def _size(number: int) -> str:
    from rich.filesize import decimal

    return decimal(number)
