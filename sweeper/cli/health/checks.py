"""Judge from its examination whether this machine, or a node of a cluster, can run sweeps."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from rich.filesize import decimal

from sweeper.cli.health.probe import clock, examine
from sweeper.errors import SweeperError
from sweeper.records.layout import RunsDirectory
from sweeper.store import open_store
from sweeper.store.base import Place

LITTLE_DISK = 5e9
"""Bytes of free disk below which there is a warning."""
WARN_SKEW, FAIL_SKEW = 2.0, 30.0
"""Seconds by which a node's clock is certainly off. Results are right anyway; times and estimates are not."""
INSTALL = "install the project there, with the versions of constraints.txt: make run, or pip install"
SHARE = "give --store a bucket, or a directory that all nodes mount at the same path"


@dataclass(frozen=True)
class Check:
    """One finding, and its fix."""

    status: Literal["ok", "warn", "FAIL"]
    name: str
    detail: str
    fix: str | None = None

    def __str__(self) -> str:
        return f"{self.status:4} {self.name}: {self.detail}" + (f"\n     fix: {self.fix}" if self.fix else "")


def diagnose(runs: Path, store: Place, address: str | None, tracking_uri: str | None) -> Iterator[Check]:
    """Check this machine and, with ``address``, every node of that cluster."""
    with ExitStack() as stack:
        failure, note, beacon = None, None, "tmp/beacon"
        try:
            opened = open_store(store)
            opened.prepare()
            note, beacon = opened.warning(), stack.enter_context(opened.beacon())
        except SweeperError as error:
            failure = error
        except OSError as error:
            failure = SweeperError(str(error))
        here = examine(asdict(store), beacon)
        here["store"] = failure.message if failure else here["store"]
        yield from judge(here, failure.fix if failure else None)
        if note:
            yield Check("warn", "store", note, "choose a bucket that knows If-None-Match, if that matters")
        yield _mlflow(runs, tracking_uri)
        yield token(Path.home() / ".ray" / "auth_token")
        if address is not None:
            yield from _nodes(address, asdict(store), beacon, here)


def skew(sent: float, told: float, received: float) -> float:
    """Return the seconds by which a clock is certainly off that was read between two times of ours."""
    return max(sent - told, told - received, 0.0)


def judge(seen: Mapping[str, Any], fix: str | None = None) -> Iterator[Check]:
    """Yield the findings for a machine by itself; ``fix`` is that of its store."""
    python, unmet, gpus = seen["packages"]["python"], seen["unmet"], seen["gpus"]
    if seen["python"]:
        yield Check("FAIL", "Python", f"{python}, and {seen['python']} is needed", "make .venv with another Python")
    else:
        yield Check("ok", "Python", python)
    if unmet is None:
        yield Check("warn", "packages", "sweeper is not installed here: what it needs is not known", INSTALL)
    elif unmet:
        yield Check("FAIL", "packages", "; ".join(unmet), INSTALL)
    else:
        yield Check("ok", "packages", "all that are needed")
    if isinstance(gpus, str):
        yield Check("FAIL", "devices", f"torch cannot be imported: {gpus}", INSTALL)
    else:
        yield Check("ok", "devices", _devices(seen))
    if seen["store"]:
        yield Check("FAIL", "store", seen["store"], fix or "choose another directory with --runs or --store")
    else:
        yield Check("ok", "store", f"{seen['root']} can be written, locked and read")
    if seen["free"] is not None:
        enough = seen["free"] >= LITTLE_DISK
        fix = None if enough else "sweeper store gc shows what can go"
        yield Check("ok" if enough else "warn", "disk", f"{decimal(seen['free'])} free", fix)


def judge_node(label: str, here: Mapping[str, Any], there: Mapping[str, Any] | str, off: float) -> Iterator[Check]:
    """Yield the findings for a node, compared with the driver: its problems, or one line if it has none.

    Args:
        label: name of the node.
        here: the driver's examination.
        there: the node's, or why there is none.
        off: seconds that its clock is off.
    """
    name = f"node {label}"
    if isinstance(there, str):
        yield Check("FAIL", name, f"cannot be examined: {there}", INSTALL)
        return
    found = [
        Check(each.status, f"{name}, {each.name}", each.detail, SHARE if each.name == "store" else each.fix)
        for each in judge(there)
        if each.status != "ok"
    ]
    found += [Check(each.status, f"{name}, {each.name}", each.detail, each.fix) for each in _compared(here, there, off)]
    yield from found
    if not found:
        free = "" if there["free"] is None else f"; {decimal(there['free'])} free"
        yield Check("ok", name, f"as here; {_devices(there)}{free}")


def token(path: Path) -> Check:
    """Check that Ray's authentication token can be read by its owner alone."""
    if not path.exists():
        return Check("ok", "token", f"{path} is made when Ray is first started")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return Check("FAIL", "token", f"{path} can be read by others (mode {mode:04o})", f"chmod 600 {path}")
    return Check("ok", "token", f"{path} is its owner's alone")


def _compared(here: Mapping[str, Any], there: Mapping[str, Any], off: float) -> Iterator[Check]:
    if there["beacon"] != here["beacon"] and not there["store"]:
        yield Check("FAIL", "store", f"{there['root']} there is another directory than here", SHARE)
    differing = sorted(name for name, digest in here["code"].items() if there["code"].get(name) != digest)
    if differing:
        fix = "put the same files on every node, and restart Ray there"
        yield Check("FAIL", "code", f"another code than here of {', '.join(differing)}", fix)
    versions = [
        f"{name} {there['packages'].get(name, 'missing')} (here {version})"
        for name, version in here["packages"].items()
        if there["packages"].get(name) != version
    ]
    if versions:
        yield Check("FAIL", "versions", ", ".join(versions), INSTALL)
    if off > WARN_SKEW:
        fix = "synchronise the clocks, for example with chrony"
        yield Check("FAIL" if off > FAIL_SKEW else "warn", "clock", f"{off:,.1f} s off the clock here", fix)


def _nodes(address: str, store: Mapping[str, Any], beacon: str, here: Mapping[str, Any]) -> Iterator[Check]:
    from sweeper.engine.executors.ray.cluster import cluster
    from sweeper.engine.executors.ray.nodes import on_every_node

    try:
        with cluster(address):
            found = on_every_node(examine, store, beacon)
            sent = clock()
            clocks = on_every_node(clock)  # in processes that are warm by now, so that the round trip is short
            received = clock()
    except SweeperError as error:
        yield Check("FAIL", "cluster", error.message, error.fix)
        return
    yield Check("ok", "cluster", f"{len(found)} nodes at {address}")
    for label, there in found.items():
        told = clocks.get(label)
        yield from judge_node(label, here, there, skew(sent, told, received) if isinstance(told, float) else 0.0)


def _mlflow(runs: Path, uri: str | None) -> Check:
    there = RunsDirectory(runs)
    if uri is None and not there.database.exists():
        return Check("ok", "MLflow", f"{there.database} is made by the first run")
    from sweeper.tracking.client import knock

    uri = uri or there.tracking_uri
    try:
        knock(uri)
    except SweeperError as error:
        return Check("FAIL", "MLflow", error.message, error.fix)
    return Check("ok", "MLflow", f"{uri} answers")


def _devices(seen: Mapping[str, Any]) -> str:
    gpus = [f"{name} ({decimal(memory)})" for name, memory in seen["gpus"]]
    return f"{seen['cpus']} CPU threads, {', '.join(gpus) or 'no GPU'}"
