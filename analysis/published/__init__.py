"""Published values with their source: one YAML file per paper, one table per key."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml


@cache
def _tables() -> Mapping[str, Mapping[str, Any]]:
    return {
        f"{path.stem}/{name}": table
        for path in sorted(Path(__file__).parent.glob("*.yaml"))
        for name, table in yaml.safe_load(path.read_text()).items()
    }


def published_names() -> list[str]:
    """Return the names of all tables, as ``file/table``."""
    return list(_tables())


def published_table(reference: str) -> Mapping[str, Any]:
    """Return values by column and row; None for a lost column. Raises KeyError for an unknown table."""
    return _tables()[reference]
