"""Examine a machine, with JSON-able results: the same here and on the nodes of a cluster."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from sweeper.errors import SweeperError
from sweeper.store import open_store
from sweeper.store.base import Place
from sweeper.trainable.provenance import versions
from sweeper.trainable.resources import own_cpus
from sweeper.trainable.source import source_hash
from sweeper.trainable.trainable import find_trainable, installed

PACKAGES = ("numpy", "pyarrow", "pydantic", "ray", "torch", "torchdiffeq")
"""Packages that every node must have in the same version, whatever it runs."""
TORCH_SECONDS = 120.0
TORCH = (
    "import json, torch; properties = map(torch.cuda.get_device_properties, range(torch.cuda.device_count()));"
    "print(json.dumps([[each.name, each.total_memory] for each in properties]))"
)


def examine(place: Mapping[str, Any], beacon: str) -> dict[str, Any]:
    """Describe this machine as JSON-able data.

    Args:
        place: the `sweeper.store.base.Place` of the store.
        beacon: path in it of a file that the driver has written, and holds.
    """
    address, seen, trouble, free = place["address"], None, None, None
    try:
        store = open_store(Place(**place))
        seen, free = store.read(beacon), store.free_bytes()
        trouble = store.check_usable(beacon) if seen else f"the store {address} here is not the driver's"
    except SweeperError as error:
        trouble = error.message
    return {
        "host": platform.node(),
        "python": _python_wanted(),
        "packages": {"python": platform.python_version()} | versions(PACKAGES),
        "unmet": unmet(),
        "code": _code(),
        "cpus": own_cpus(),
        "gpus": _gpus(),
        "root": address,
        "beacon": seen.decode(errors="replace") if seen else None,
        "store": trouble,
        "free": free,
    }


def clock() -> float:
    """Return seconds since 1970, by this machine."""
    return time.time()


def unmet(requirements: list[str] | None = None) -> list[str] | None:
    """Return the requirements that this Python does not meet; None if the project is not installed as a package.

    Args:
        requirements: those of the installed project by default.
    """
    try:
        wanted = map(Requirement, (metadata.requires("sweeper") or []) if requirements is None else requirements)
    except metadata.PackageNotFoundError:
        return None
    lacking = []
    for each in wanted:
        if each.marker and not each.marker.evaluate({"extra": ""}):
            continue
        try:
            version = metadata.version(each.name)
        except metadata.PackageNotFoundError:
            lacking.append(f"{each} is not installed")
            continue
        if not each.specifier.contains(version, prereleases=True):
            lacking.append(f"{each} is needed, {version} is installed")
    return lacking


def _gpus() -> Any:
    """Return name and bytes of each GPU that torch sees; the error's last line if torch cannot be imported."""
    environment = {name: value for name, value in os.environ.items() if (name, value) != ("CUDA_VISIBLE_DEVICES", "")}
    try:  # in a process of its own, because Ray hides the GPUs from what asks for none
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-c", TORCH],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=TORCH_SECONDS,
        )
    except subprocess.CalledProcessError as error:
        return (error.stderr.strip().splitlines() or ["it ended without a word"])[-1]
    except subprocess.TimeoutExpired:
        return f"not within {TORCH_SECONDS:.0f} s"
    return json.loads(done.stdout)


def _python_wanted() -> str | None:
    """Return the Python that the project needs, if this one is too old."""
    try:
        wanted = metadata.metadata("sweeper")["Requires-Python"]
    except (metadata.PackageNotFoundError, KeyError):
        return None
    return None if not wanted or SpecifierSet(wanted).contains(platform.python_version()) else str(wanted)


def _code() -> dict[str, str]:
    """Return hashes of the code of the orchestrator, and of each installed trainable by its module."""
    hashes = {"sweeper": source_hash("sweeper.cli.main")}
    for name, point in installed().items():
        try:
            hashes[point.module] = source_hash(find_trainable(name).module)
        except SweeperError as error:
            hashes[point.module] = error.message
    return hashes
