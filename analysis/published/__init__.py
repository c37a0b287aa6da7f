"""Published values with their source: one YAML file per paper, one table per key, values by preset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

NOT_VALUES = ("data", "others")


@dataclass(frozen=True)
class Published:
    """A published table, as far as it may stand beside a sweep of one preset."""

    source: str
    data: str
    """Name of the data set and split that the values belong to."""
    belongs: bool
    """True if that is the sweep's own data set and split."""
    columns: Sequence[str]
    """Columns that the table has, without lost ones."""
    lost: Sequence[str]
    """Columns that the copy at hand has lost."""
    others: Sequence[str]
    """Rows that only the paper has."""
    values: Mapping[str, Any]
    """Values by column and row; empty for a preset of the paper that the table does not cover."""

    @property
    def heading(self) -> str:
        """Heading of its columns."""
        return "published" if self.belongs or not self.values else f"published ({self.data})"

    @property
    def note(self) -> str:
        """Where the values are from, what is lost, and whose they are."""
        if not self.values:
            return f"published: nothing for this data set; the values of {self.source} are for {self.data}"
        return f"published: {self.data}, {self.source}"


@cache
def _papers() -> Mapping[str, Mapping[str, Any]]:
    return {path.stem: yaml.safe_load(path.read_text()) for path in sorted(Path(__file__).parent.glob("*.yaml"))}


def published_names() -> list[str]:
    """Return the names of all tables, as ``file/table``."""
    return [f"{paper}/{table}" for paper, tables in _papers().items() for table in tables]


def published_table(reference: str, preset: str | None) -> Published:
    """Return a table for a sweep of a preset.

    A preset of the paper gets its own values, and none where the table lacks it. Any other preset, such as a small
    stand-in, gets the values of the table's first preset, under the name of their data set.

    Raises:
        KeyError: for an unknown table.
    """
    paper, _, name = reference.partition("/")
    tables = _papers()[paper]
    presets = tables[name]["presets"]
    elsewhere = {each for table in tables.values() for each in table["presets"]} - set(presets)
    shown = presets[preset] if preset in presets else next(iter(presets.values()))
    columns = {column: value for column, value in shown.items() if column not in NOT_VALUES}
    covered = preset not in elsewhere
    return Published(
        source=tables[name]["source"],
        data=shown["data"],
        belongs=preset in presets,
        columns=[column for column, value in columns.items() if value is not None],
        lost=[column for column, value in columns.items() if value is None],
        others=shown.get("others", ()) if covered else (),
        values={column: value for column, value in columns.items() if value is not None} if covered else {},
    )
