"""Values printed in papers, with their source: one YAML file per paper, one table per key."""

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
    """Every table there is, as ``file/table``."""
    return list(_tables())


def published_table(reference: str) -> Mapping[str, Any]:
    """Values by column and row; None where the number is lost. Raises KeyError for a table there is not."""
    return _tables()[reference]
