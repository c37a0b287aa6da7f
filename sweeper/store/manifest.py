"""The manifest of an artifact: its files with sizes and SHA-256 sums, its provenance, and its own sum."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
UNPARSABLE = (ValueError, KeyError, TypeError, AttributeError)
"""Of what a manifest that is none raises when it is used."""
UNREADABLE = f"{MANIFEST} cannot be read"


def seal(directory: Path, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Write the manifest of all files in a directory, and return it."""
    files = {path.name: {"size": path.stat().st_size, "sha256": _sha256(path)} for path in sorted(directory.iterdir())}
    manifest: dict[str, Any] = json.loads(json.dumps({"files": files, **provenance}))
    write(directory, manifest)
    return manifest


def write(directory: Path, manifest: Mapping[str, Any]) -> None:
    """Write a manifest, with its own sum, into a directory."""
    (directory / MANIFEST).write_text(_text({**manifest, "sum": _own_sum(manifest)}))


def parse(text: str | bytes) -> dict[str, Any]:
    """The manifest in a text. Raises ValueError for one that fails its own sum; those of earlier stores have none."""
    manifest = json.loads(text)
    if not isinstance(manifest, dict):
        raise ValueError(text)
    own_sum = manifest.pop("sum", None)
    if own_sum != _own_sum(manifest) and (own_sum is not None or "stage" not in manifest):
        raise ValueError(text)
    return manifest


def read(directory: Path) -> dict[str, Any]:
    """The manifest in a directory. Raises OSError, and ValueError for one that fails its own sum."""
    return parse((directory / MANIFEST).read_text())


def verify(directory: Path) -> str | None:
    """What is wrong with the files of a directory; None where every one has the sum in its manifest."""
    try:
        for name, entry in read(directory)["files"].items():
            path = directory / name
            if not path.is_file():
                return f"{name} is missing"
            if path.stat().st_size != entry["size"]:
                return wrong_size(name, path.stat().st_size, entry["size"])
            if _sha256(path) != entry["sha256"]:
                return wrong_sum(name)
    except (OSError, *UNPARSABLE):
        return UNREADABLE
    return None


def wrong_size(name: str, size: int, wanted: int) -> str:
    """What is wrong with a file of another size."""
    return f"{name} has {size} bytes instead of {wanted}"


def wrong_sum(name: str) -> str:
    """What is wrong with a file of other bytes."""
    return f"{name} has another sum than when it was made"


def _own_sum(manifest: Mapping[str, Any]) -> str:
    return hashlib.sha256(_text(manifest).encode()).hexdigest()


def _text(manifest: Mapping[str, Any]) -> str:
    return json.dumps(manifest, indent=1, sort_keys=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
