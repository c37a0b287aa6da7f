"""Find what is in the store and who needs it: what can be deleted, and what takes how much of the disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sweeper.errors import SweeperError
from sweeper.planning.text import stage_name
from sweeper.records.layout import RunsDirectory
from sweeper.records.sweep import is_driven, read_record, read_status
from sweeper.store.base import Entry, Store
from sweeper.store.manifest import MANIFEST, parse
from sweeper.store.parallel import all_at_once

UNKNOWN = "unknown"
"""Shown as the stage function of an artifact whose manifest cannot be read."""

Needs = Mapping[str, Collection[str]]
"""Keys of the stages that the results of each search space need, by its name."""


@dataclass(frozen=True)
class Artifact:
    """An artifact of the store, as its manifest describes it."""

    key: str
    name: str
    """Its path in the store."""
    function: str
    params: Mapping[str, Any]
    bytes: int
    seconds: float
    made: datetime
    needed_by: tuple[str, ...]
    """Names of the search spaces whose results need it."""

    @property
    def stage(self) -> str:
        """The function with its plain parameters, such as ``train_adapter label=3 seed=0``."""
        return stage_name(self.function, self.params)


@dataclass(frozen=True)
class Rubbish:
    """A file or directory of the store that can be deleted."""

    kind: str
    function: str
    """Key of an artifact, in place or damaged; else empty."""
    name: str
    """Its path in the store."""
    key: str
    """Name of the stage that it belongs to."""
    bytes: int


def read_needs(runs: Path) -> dict[str, frozenset[str]]:
    """Read which stages the results of every search space need. Raises SweeperError if they cannot be read."""
    needs = {}
    for directory in sorted(RunsDirectory(runs).results.glob("*/")):
        path = RunsDirectory(runs).trials_of(directory.name)
        try:
            table = pq.read_table(path, columns=["stages"], page_checksum_verification=True)
            needs[directory.name] = frozenset(pc.list_flatten(table.column("stages")).to_pylist())
        except (OSError, pa.ArrowException):
            message = f"{path} cannot be read: cannot tell which artifacts its sweep needs"
            raise SweeperError(message, fix=f"run its sweep again, or remove {directory}") from None
    return needs


def artifacts(store: Store, needs: Needs) -> list[Artifact]:
    """List all artifacts, newest first. Only manifests are opened, and nothing is quarantined."""
    spaces: dict[str, list[str]] = {}
    for space, keys in needs.items():
        for key in keys:
            spaces.setdefault(key, []).append(space)
    entries = list(store.entries("objects"))
    manifests = store.manifests({each.key for each in entries})
    found = (_artifact(each, manifests.get(each.key), tuple(spaces.get(each.key, ()))) for each in entries)
    return sorted(found, key=lambda each: each.made, reverse=True)


def find_rubbish(store: Store, runs: Path) -> list[Rubbish]:
    """Find what no results need, and what dead processes left. Deletes nothing.

    Raises SweeperError where it is unknown what a sweep needs.
    """
    present = artifacts(store, {})  # before the needs are read: what a running sweep makes meanwhile is not among it
    _check_written_down(runs)
    needed = frozenset().union(*read_needs(runs).values())
    living = store.claims.living()
    unused = (each for each in present if each.key not in needed | living)
    found = [Rubbish("artifacts", each.function, each.name, each.key, each.bytes) for each in unused]
    done = {each.key for each in present}
    for each in store.entries("progress"):
        if (each.key in done or each.key not in needed) and each.key not in living:
            found.append(_rubbish("progress", each))
    for each in store.entries("damaged"):
        found.append(_rubbish("damaged", each, _function(store.read(f"{each.name}/{MANIFEST}"))))
    for each in store.entries("failures"):
        if each.key not in needed | living:
            found.append(_rubbish("failures", each))
    found += [_rubbish("leftovers", each) for each in store.entries("tmp")]
    return found + [_rubbish("claims", each) for each in store.entries("claims")]


def remove_rubbish(store: Store, found: Iterable[Rubbish]) -> None:
    """Delete it, but for what a living process has taken since."""

    def remove(each: Rubbish) -> None:
        if not store.claims.owner(each.key):
            store.remove(each.name)

    list(all_at_once(remove, found))
    store.remove_leftovers()


def usage(store: Store, needs: Needs) -> dict[str, Any]:
    """Count bytes on the disk by stage function, by search space, and of the rest, as ``du --json`` prints them."""
    present = artifacts(store, needs)
    functions: dict[str, Counter[str]] = {}
    spaces: dict[str, Counter[str]] = {name: Counter(artifacts=0, bytes=0, own_bytes=0) for name in needs}
    for each in present:
        functions.setdefault(each.function, Counter()).update(artifacts=1, bytes=each.bytes)
        for name in each.needed_by:
            own = each.bytes if len(each.needed_by) == 1 else 0
            spaces[name].update(artifacts=1, bytes=each.bytes, own_bytes=own)
    places = {
        kind: sum(each.bytes for each in store.entries(place))
        for kind, place in (
            ("progress", "progress"),
            ("damaged", "damaged"),
            ("claims", "claims"),
            ("failures", "failures"),
            ("leftovers", "tmp"),
        )
    }
    places["being_written"] = store.being_written()
    return {
        "functions": dict(sorted(functions.items(), key=lambda item: -item[1]["bytes"])),
        "spaces": spaces,
        **{kind: places[kind] for kind in ("progress", "damaged", "being_written", "leftovers")},
        "total": sum(each.bytes for each in present) + sum(places.values()),
        "free": store.free_bytes(),
    }


def _artifact(entry: Entry, manifest: Mapping[str, Any] | None, needed_by: tuple[str, ...]) -> Artifact:
    try:
        said = manifest or {}
        function, made = said["stage"].rpartition(".")[2], datetime.fromisoformat(said["started"])
        params, seconds = said["params"], said["seconds"]
    except (ValueError, KeyError, TypeError, AttributeError):
        function, params, seconds, made = UNKNOWN, {}, 0.0, entry.made
    return Artifact(entry.key, entry.name, function, params, entry.bytes, seconds, made, needed_by)


def _rubbish(kind: str, entry: Entry, function: str = "") -> Rubbish:
    return Rubbish(kind, function, entry.name, entry.key, entry.bytes)


def _function(manifest: bytes | None) -> str:
    """Return the stage function that a manifest names."""
    try:
        return str(parse(manifest or b"")["stage"]).rpartition(".")[2]
    except (ValueError, KeyError):
        return UNKNOWN


def _check_written_down(runs: Path) -> None:
    """Check that a sweep's results are younger than its start, so that they name what it needs. Raises SweeperError."""
    for name in RunsDirectory(runs).sweeps():
        record, status, driven = read_record(runs, name), read_status(runs, name), is_driven(runs, name)
        began = record.began.timestamp()
        results = [RunsDirectory(runs).trials_of(space) for space in record.spaces]
        written = all(path.exists() and path.stat().st_mtime >= began for path in results)
        if written and not (record.is_searched and (driven or status is None or status.state == "running")):
            continue  # a search writes down what it needs when it ends
        if driven:
            message = f"sweep {name} is starting and has not recorded yet which artifacts it needs"
            raise SweeperError(message, fix="wait until it ends, or stop it with Ctrl-C and resume it later")
        ended = status is not None and status.state == "finished" and status.updated.timestamp() >= began
        if not ended:  # the results of one that finished were removed by the user, who needs them no more
            message = f"sweep {name} did not finish, and which artifacts it needs is not recorded"
            raise SweeperError(message, fix=f"run it again, or abandon it: remove {RunsDirectory(runs).sweep(name)}")
