"""What lies in the store and who needs it: what can go, and what takes how much of the disk."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sweeper.errors import SweeperError
from sweeper.printing import stage_name
from sweeper.record import directory_of, is_driven, read_record, read_status, recorded
from sweeper.store import MANIFEST, Store

UNKNOWN = "unknown"
"""The stage function of an artifact whose manifest cannot be read."""

Needs = Mapping[str, Collection[str]]
"""Keys of the stages that the results of each search space need, by its name."""


@dataclass(frozen=True)
class Artifact:
    """An artifact in place, as its manifest describes it."""

    key: str
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
    """A file or directory of the store that can go."""

    kind: str
    function: str
    """Of an artifact, in place or damaged; else empty."""
    path: Path
    bytes: int


def read_needs(runs: Path) -> dict[str, frozenset[str]]:
    """What the results of every search space need. Raises SweeperError where they cannot be read."""
    needs = {}
    for directory in sorted((runs / "results").glob("*/")):
        path = directory / "trials.parquet"
        try:
            stages = pq.read_table(path, columns=["stages"]).column("stages")
            needs[directory.name] = frozenset(pc.list_flatten(stages).to_pylist())
        except (OSError, pa.ArrowException):
            message = f"{path} cannot be read: what its sweep needs is unknown"
            raise SweeperError(message, fix=f"run its sweep again, or remove {directory}") from None
    return needs


def artifacts(store: Store, needs: Needs) -> list[Artifact]:
    """Everything in place, newest first. Nothing is opened but manifests, and nothing set aside."""
    spaces: dict[str, list[str]] = {}
    for space, keys in needs.items():
        for key in keys:
            spaces.setdefault(key, []).append(space)
    found = (_artifact(store.path(key), tuple(spaces.get(key, ()))) for key in store.present())
    return sorted(found, key=lambda each: each.made, reverse=True)


def find_rubbish(store: Store, runs: Path) -> list[Rubbish]:
    """What no results need, and what dead processes left. Deletes nothing.

    Raises SweeperError where it is unknown what a sweep needs.
    """
    present = artifacts(store, {})  # before the needs are read: what a running sweep makes meanwhile is not among it
    _check_written_down(runs)
    needed = frozenset().union(*read_needs(runs).values())
    unused = (each for each in present if each.key not in needed and not store.claims.owner(each.key))
    found = [Rubbish("artifacts", each.function, store.path(each.key), each.bytes) for each in unused]
    done = {each.key for each in present}
    for path in _entries(store, "progress"):
        if (path.name in done or path.name not in needed) and not store.claims.owner(path.name):
            found.append(Rubbish("progress", "", path, size(path)))
    for path in _entries(store, "damaged"):
        found.append(Rubbish("damaged", _artifact(path).function, path, size(path)))
    for path in _entries(store, "failures"):
        if path.stem not in needed and not store.claims.owner(path.stem):
            found.append(Rubbish("failures", "", path, size(path)))
    for kind, place in (("leftovers", "tmp"), ("claims", "claims")):
        found += [Rubbish(kind, "", path, size(path)) for path in _entries(store, place) if not store.is_held(path)]
    return found


def remove_rubbish(store: Store, found: Iterable[Rubbish]) -> None:
    """Delete it, but for what a living process has taken since."""
    for each in found:
        key = each.path.name.partition(".")[0]
        if each.kind != "leftovers" and not store.claims.owner(key):
            store.remove(each.path)
    store.remove_leftovers()


def usage(store: Store, needs: Needs) -> dict[str, Any]:
    """Bytes on the disk by stage function, by search space, and of everything else, as ``du --json`` prints them."""
    present = artifacts(store, needs)
    functions: dict[str, Counter[str]] = {}
    spaces: dict[str, Counter[str]] = {name: Counter(artifacts=0, bytes=0, own_bytes=0) for name in needs}
    for each in present:
        functions.setdefault(each.function, Counter()).update(artifacts=1, bytes=each.bytes)
        for name in each.needed_by:
            own = each.bytes if len(each.needed_by) == 1 else 0
            spaces[name].update(artifacts=1, bytes=each.bytes, own_bytes=own)
    places = {kind: sum(map(size, _entries(store, kind))) for kind in ("progress", "damaged", "claims", "failures")}
    for path in _entries(store, "tmp"):
        kind = "being_written" if store.is_held(path) else "leftovers"
        places[kind] = places.get(kind, 0) + size(path)
    return {
        "functions": dict(sorted(functions.items(), key=lambda item: -item[1]["bytes"])),
        "spaces": spaces,
        **{kind: places.get(kind, 0) for kind in ("progress", "damaged", "being_written", "leftovers")},
        "total": sum(each.bytes for each in present) + sum(places.values()),
        "free": shutil.disk_usage(store.root).free,
    }


def size(path: Path) -> int:
    """Bytes of a file, or of all files of a directory; what vanishes meanwhile has none."""
    total = 0
    for each in [path, *path.rglob("*")]:
        try:
            total += each.stat().st_size if each.is_file() else 0
        except OSError:
            continue
    return total


def _artifact(directory: Path, needed_by: tuple[str, ...] = ()) -> Artifact:
    path = directory / MANIFEST
    try:
        manifest = json.loads(path.read_text())
        function, made = manifest["stage"].rpartition(":")[2], datetime.fromisoformat(manifest["started"])
        params, seconds = manifest["params"], manifest["seconds"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        made = datetime.fromtimestamp(directory.stat().st_mtime if directory.exists() else 0, UTC)
        function, params, seconds = UNKNOWN, {}, 0.0
    return Artifact(directory.name, function, params, size(directory), seconds, made, needed_by)


def _entries(store: Store, place: str) -> Iterator[Path]:
    directory = store.root / place
    yield from sorted(directory.iterdir()) if directory.is_dir() else ()


def _check_written_down(runs: Path) -> None:
    """A sweep's needs stand in its results once these are younger than its start. Raises SweeperError before that."""
    for name in recorded(runs):
        record, status, driven = read_record(runs, name), read_status(runs, name), is_driven(runs, name)
        began = record.began.timestamp()
        results = [runs / "results" / space / "trials.parquet" for space in record.spaces]
        if all(path.exists() and path.stat().st_mtime >= began for path in results):
            continue
        if driven:
            message = f"sweep {name} is being run and has not written down yet what it needs"
            raise SweeperError(message, fix="wait until it has ended, or stop it with Ctrl-C; it can go on afterwards")
        ended = status is not None and status.state == "finished" and status.updated.timestamp() >= began
        if not ended:  # the results of one that finished were removed by the user, who needs them no more
            message = f"sweep {name} did not finish, and what it needs is not written down"
            raise SweeperError(message, fix=f"run it again, or give it up: remove {directory_of(runs, name)}")
