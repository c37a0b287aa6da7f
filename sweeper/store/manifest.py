"""The manifest of an artifact: its files with sizes and SHA-256 checksums, its provenance, and its own checksum."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
UNPARSABLE = (ValueError, KeyError, TypeError, AttributeError)
"""Errors that reading or using an invalid manifest raises."""
UNREADABLE = f"{MANIFEST} cannot be read"


def seal(directory: Path, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Write the manifest of all files in a directory, and return it."""
    files = {path.name: {"size": path.stat().st_size, "sha256": _sha256(path)} for path in sorted(directory.iterdir())}
    manifest: dict[str, Any] = json.loads(json.dumps({"files": files, **provenance}))
    write(directory, manifest)
    return manifest


def write(directory: Path, manifest: Mapping[str, Any]) -> None:
    """Write a manifest, with its own checksum, into a directory."""
    (directory / MANIFEST).write_text(_text({**manifest, "sum": _own_sum(manifest)}))


def parse(text: str | bytes) -> dict[str, Any]:
    """Parse a manifest. Raises ValueError if its own checksum fails; manifests of earlier stores have none."""
    manifest = json.loads(text)
    if not isinstance(manifest, dict):
        raise ValueError(text)
    own_sum = manifest.pop("sum", None)
    if own_sum != _own_sum(manifest) and (own_sum is not None or "stage" not in manifest):
        raise ValueError(text)
    return manifest


def read(directory: Path) -> dict[str, Any]:
    """Read the manifest of a directory. Raises OSError, and ValueError if its own checksum fails."""
    return parse((directory / MANIFEST).read_text())


def verify(directory: Path) -> str | None:
    """Return the first fault of a directory's files; None if all match the checksums in its manifest."""
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
    """Return the message for a file of the wrong size."""
    return f"{name} has {size} bytes instead of {wanted}"


def wrong_sum(name: str) -> str:
    """Return the message for a file of the wrong content."""
    return f"{name} does not match its checksum"


def _own_sum(manifest: Mapping[str, Any]) -> str:
    return hashlib.sha256(_text(manifest).encode()).hexdigest()


def _text(manifest: Mapping[str, Any]) -> str:
    return json.dumps(manifest, indent=1, sort_keys=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
