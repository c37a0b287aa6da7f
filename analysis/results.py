"""Read a sweep's results from disk.

NAME/trials.parquet            a row per trial; the schema's metadata describes the space
NAME/suggestions.parquet       a row per suggestion of a searched space; the metadata describes the search
NAME/stages.parquet            a row per finished stage: seconds, device, commit, number of trials that need it
NAME/curves.parquet            learning curves: key of the stage, metric, step, value
NAME/measures/MEASURE.parquet  measures too long for a trial's row, each with the trial's label
NAME/pictures/TARGET/*.png     pictures, by the first 12 characters of the trial's target
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analysis.contract import KEY_PREFIX, PICTURES, SUGGESTIONS, TABLE_METADATA, TRIALS
from analysis.search import Search


class NoTable(Exception):
    """The results cannot be read as a table; the message contains the cause and the fix."""


@dataclass(frozen=True)
class Number:
    """The description of a column of numbers."""

    kind: Literal["fact", "metric", "cost"]
    """Computed from the config, measured by the run, or spent on it."""
    meaning: str
    better: Literal["higher", "lower"] | None
    title: str
    decimals: int


@dataclass(frozen=True)
class Description:
    """The description of a space's table and trials."""

    name: str
    trainable: str
    """What was swept, as the space names it."""
    rows: Sequence[str]
    """Names whose values are the rows of the table."""
    across: str | None
    """The one of them whose values become columns."""
    columns: Sequence[str]
    bounds: Sequence[str]
    """Cases that are upper or lower bounds, and are not ranked."""
    published: str | None
    preset: str | None
    """The config that the space started from; None in earlier results."""
    baseline: Mapping[str, Any]
    """Values by name of the row that the others are compared with; empty if there is none."""
    design: Sequence[str]
    """Names that vary in the space, ``case`` among them."""
    seeds: Sequence[str]
    """Names that trials are repeated over."""
    numbers: Mapping[str, Number]

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> Description:
        """Parse the metadata of the results. Raises KeyError or TypeError if it is invalid."""
        numbers = {
            name: Number(**each | {"title": each["title"] or name}) for name, each in metadata["numbers"].items()
        }
        rows = [metadata["rows"]] if isinstance(metadata["rows"], str) else metadata["rows"]
        names = ("name", "trainable", "across", "columns", "bounds", "published", "baseline", "design", "seeds")
        return cls(
            rows=rows, numbers=numbers, preset=metadata.get("preset"), **{name: metadata[name] for name in names}
        )

    def number(self, name: str) -> Number:
        """Return the description of a column; for a config value just its name."""
        return self.numbers.get(name) or Number("fact", name, None, name, 2)

    def is_tested(self, name: str) -> bool:
        """Check whether rows are compared in a column: it is a metric with a better direction."""
        return self.number(name).kind == "metric" and self.number(name).better is not None


@dataclass(frozen=True)
class Results:
    """The results of one sweep."""

    described: Description
    directory: Path

    @property
    def name(self) -> str:
        """Name of the sweep."""
        return self.described.name

    @cached_property
    def search(self) -> Search | None:
        """The search; None for a space that lists its trials. Raises NoTable if it cannot be read."""
        table = self.beside(Path(SUGGESTIONS).stem)
        try:
            return None if table is None else Search.of(table)
        except (ValueError, KeyError, TypeError) as error:
            raise _unreadable(self.directory / SUGGESTIONS, error) from None

    @cached_property
    def trials(self) -> pa.Table:
        """A row per trial: its label ``trial``, ``status`` (finished, failed or missing), ``cause``, the names of the
        design, the config by dotted name, facts, metrics (null if not measured), costs, ``target``, ``stages``.

        For a searched space, only the trials of the chosen suggestions, in their order. Raises NoTable if they cannot
        be read.
        """
        return self.read(self.columns)

    @cached_property
    def states(self) -> Counter[str]:
        """The number of trials by status, including ``pruned`` for all trials of a search. Raises NoTable."""
        return Counter(_read(self._path, ["status"])["status"].to_pylist())

    @cached_property
    def finished(self) -> pa.Table:
        """The trials that have numbers. Raises NoTable."""
        return self.trials.filter(pc.equal(self.trials["status"], "finished"))

    @cached_property
    def columns(self) -> Sequence[str]:
        """Names of the columns of `trials`. Raises NoTable."""
        return list(_schema(self._path).names)

    def read(self, names: Iterable[str]) -> pa.Table:
        """Read only these columns of `trials`. Raises NoTable if they cannot be read."""
        wanted = list(dict.fromkeys(names))
        if self.search is None:
            return _read(self._path, wanted)
        found = _read(self._path, list(dict.fromkeys([*wanted, "target"])))
        targets = dict.fromkeys(target for each in self.search.chosen for target in each.targets)
        return _in_order(found, list(targets)).select(wanted)

    def beside(self, name: str) -> pa.Table | None:
        """Read ``stages``, ``curves`` or ``measures/NAME``; return None if the sweep has none. Raises NoTable."""
        path = self.directory / f"{name}.parquet"
        return _read(path) if path.exists() else None

    def pictures(self, target: str) -> list[Path]:
        """Return the pictures of the trial with this target, sorted by name."""
        return sorted((self.directory / PICTURES / target[:KEY_PREFIX]).glob("*.png"))

    @property
    def _path(self) -> Path:
        return self.directory / TRIALS


def read_results(directory: Path, name: str) -> Results:
    """Read the results of a sweep below ``directory``. Raises NoTable if they do not exist or cannot be read."""
    path = directory / name / TRIALS
    if not path.exists():
        known = sorted(each.parent.name for each in directory.glob(f"*/{TRIALS}"))
        fix = f"known: {', '.join(known)}" if known else "run a sweep first"
        raise NoTable(f"no results '{name}' in {directory}\n  fix: {fix}")
    try:
        schema = _schema(path)
        described = Description.of(json.loads(schema.metadata[TABLE_METADATA]))
        schema.field("status")
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable(path, error) from None
    return Results(described, path.parent)


def _schema(path: Path) -> pa.Schema:
    try:
        return pq.read_schema(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(path, error) from None


def _read(path: Path, columns: list[str] | None = None) -> pa.Table:
    try:
        return pq.read_table(path, columns=columns, partitioning=None, page_checksum_verification=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(path, error) from None


def _in_order(trials: pa.Table, targets: Sequence[str]) -> pa.Table:
    """Return the trials with these targets, in the order of the targets."""
    places = pc.index_in(trials["target"], pa.array(targets, pa.string()))
    order = pc.array_sort_indices(places.combine_chunks())
    return trials.take(order).slice(0, len(trials) - places.null_count)


def _unreadable(path: Path, error: Exception) -> NoTable:
    return NoTable(f"{path} cannot be read: {error}\n  fix: run the sweep again to rewrite the file")
