"""Parquet files in the layouts of the Hugging Face hub."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePath

import pyarrow as pa
import pyarrow.parquet as pq

from sweeper import InvalidConfig
from trainables.common.data.settings import Data
from trainables.common.data.sources.table_split import TableSplit, class_names

ROWS = 128
SHARD = re.compile(r"[-_. ]\d+(-of-\d+.*)?$")


def is_parquet(file: str) -> bool:
    """Check by its ending."""
    return file.endswith(".parquet")


def open_file(data: Data, file: Path) -> TableSplit:
    """Open a single Parquet file as one split. Raises InvalidConfig when it cannot be read."""
    return _split(data, file.name, [file])


def open_directory(data: Data, directory: Path, files: Sequence[str]) -> Mapping[str, TableSplit]:
    """Open the splits by name.

    ``train-00000-of-00002.parquet``, ``train_0.parquet`` and ``train.parquet`` are of ``train``, and so is
    ``train/0000.parquet``, as its own name is a number.

    Args:
        files: the directory's Parquet files, sorted, by their paths in it.

    Raises InvalidConfig when they lie in several places, such as the directories of several configurations, or cannot
    be read.
    """
    found: dict[str, list[Path]] = defaultdict(list)
    places = set()
    for file in files:
        place, split = _place(PurePath(file))
        found[split].append(directory / file)
        places.add(str(place))
    if len(places) > 1:
        message = f"{directory} has Parquet files in {', '.join(sorted(places))}"
        raise InvalidConfig("data.source", message, fix="name one of these directories")
    return {split: _split(data, f"split {split}", shards) for split, shards in sorted(found.items())}


def _place(file: PurePath) -> tuple[PurePath, str]:
    """Return the directory of all splits, and the split of this file."""
    if file.stem.isdigit() and file.parent.name:
        return file.parent.parent, file.parent.name
    return file.parent, SHARD.sub("", file.stem)


def _split(data: Data, title: str, files: Sequence[Path]) -> TableSplit:
    schemas = []
    for file in files:
        with _readable(file):
            schemas.append(pq.read_schema(file))
    for file, schema in zip(files, schemas, strict=True):
        for column in (data.image_column, data.label_column):
            if _kind(schema, column) != _kind(schemas[0], column):
                message = f"column '{column}' of {file} is not of the type that it has in {files[0].name}"
                raise InvalidConfig("data.source", message, fix="write all files of a split with the same columns")
    return TableSplit(title, schemas[0], data.image_column, data.label_column, partial(_read, files))


def _kind(schema: pa.Schema, column: str) -> tuple[pa.DataType | None, list[str] | None]:
    return schema.field(column).type if column in schema.names else None, class_names(schema, column)


def _read(files: Sequence[Path], column: str) -> Iterator[pa.Array]:
    """Yield the values of a column, `ROWS` at a time: an image is a file of up to some 100 kB, and a row group may have
    any size."""
    for file in files:
        with _readable(file):
            table = pq.ParquetFile(file)
        with table:
            batches = table.iter_batches(ROWS, columns=[column], use_threads=False)
            while True:
                with _readable(file):
                    batch = next(batches, None)
                if batch is None:
                    break
                yield batch.column(0)


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        reason = str(error).strip().partition("\n")[0]
        fix = "write the file again, or take it out"
        raise InvalidConfig("data.source", f"{file} cannot be read as Parquet: {reason}", fix=fix) from error
