"""A split whose images and labels are columns of Arrow tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sweeper import InvalidConfig, nearest
from trainables.common.data.sources.labelled import ImageFile, Labels
from trainables.common.data.splits import Indices


@dataclass(frozen=True)
class TableSplit:
    """A split, see `labelled.Split`. Images are encoded files: bytes, or structs with these as ``bytes``."""

    title: str
    schema: pa.Schema
    """Types of all columns, with the metadata of `datasets`, where there is any, that names the classes."""
    image_column: str
    label_column: str
    read: Callable[[str], Iterator[pa.Array]]
    """Yield the values of a column, in pieces."""
    ready: bool = True

    @property
    def names(self) -> list[str] | None:
        """Names of the classes, where the column of labels has them."""
        return class_names(self.schema, self.label_column)

    def check(self) -> None:
        """Raises InvalidConfig when a column is missing or holds something else."""
        kind = self._type("data.image_column", self.image_column)
        if not _holds_files(kind):
            raise self._mistyped("data.image_column", self.image_column, kind, "not images", _holds_files)
        kind = self._type("data.label_column", self.label_column)
        if not _holds_labels(kind):
            message = "not whole numbers or names"
            raise self._mistyped("data.label_column", self.label_column, kind, message, _holds_labels)

    def labels(self) -> Labels:
        """Read all labels. Raises InvalidConfig for a row without one."""
        pieces = (_decoded(piece) for piece in self.read(self.label_column))
        values = pa.chunked_array(pieces, _plain(self.schema.field(self.label_column).type))
        if values.null_count:
            row = np.flatnonzero(values.is_null().to_numpy())[0]
            fix = "give every row a label, or take the row out"
            raise InvalidConfig("data.label_column", f"row {row} of {self.title} has no label", fix=fix)
        if pa.types.is_integer(values.type):
            return Labels(values.to_numpy().astype(np.int64), self.names)
        encoded = values.combine_chunks().dictionary_encode()
        return Labels(encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist(), ordered=False)

    def images(self, rows: Indices) -> Iterator[tuple[str, ImageFile]]:
        """Yield the images of ascending rows, each with its row."""
        pieces, piece, start, stop = self.read(self.image_column), pa.array([]), 0, 0
        for row in map(int, rows):
            while row >= stop:
                piece = next(pieces)
                start, stop = stop, stop + len(piece)
            value = piece[row - start].as_py()
            yield f"row {row} of {self.title}", value["bytes"] if isinstance(value, dict) else value

    def _type(self, field: str, column: str) -> pa.DataType:
        if column not in self.schema.names:
            there = f"{self.title} has no column '{column}', but {', '.join(self.schema.names)}"
            raise InvalidConfig(field, there, fix=nearest(column, self.schema.names))
        return self.schema.field(column).type

    def _mistyped(
        self, field: str, column: str, kind: pa.DataType, message: str, suits: Callable[[pa.DataType], bool]
    ) -> InvalidConfig:
        suiting = [each.name for each in self.schema if suits(each.type)]
        fix = f"name a column of its kind: {', '.join(suiting)}" if suiting else "no column of this data holds them"
        return InvalidConfig(field, f"column '{column}' of {self.title} holds {kind}, {message}", fix=fix)


def class_names(schema: pa.Schema, column: str) -> list[str] | None:
    """Return the names of a column's classes, if `datasets` wrote its table and the column is a ClassLabel."""
    written = (schema.metadata or {}).get(b"huggingface")
    features = json.loads(written).get("info", {}).get("features") if written else None
    feature = (features or {}).get(column)
    return feature["names"] if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" else None


def _holds_files(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        place = kind.get_field_index("bytes")
        return place >= 0 and _holds_files(kind.field(place).type)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _holds_labels(kind: pa.DataType) -> bool:
    plain = _plain(kind)
    return bool(pa.types.is_integer(plain) or pa.types.is_string(plain) or pa.types.is_large_string(plain))


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _decoded(piece: pa.Array) -> pa.Array:
    return piece.dictionary_decode() if isinstance(piece, pa.DictionaryArray) else piece
