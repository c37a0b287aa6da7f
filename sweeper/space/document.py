"""YAML documents that know the line and column of each of their parts."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sweeper.errors import SweeperError, suggestion

NAMES = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")
"""YAML tags of a key that is a name, not a number or a word for true or false."""
PLAIN = {f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "str", "int", "float", "bool", "null", "merge")}
MAX_PARTS = 100_000
"""Names and values of a document with its aliases expanded: a few lines can expand to billions."""
UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Characters that can be written as escapes, but that neither terminals nor paths can hold."""
UNREADABLE = (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError)
"""Errors that PyYAML raises for a value that does not fit its apparent or given type, such as 2001-99-99."""


class _Loader(yaml.SafeLoader):
    """A safe YAML loader that reads 1e-3 as a number, for which YAML 1.1 requires 1.0e-3."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$", re.ASCII), list("-+.0123456789")
)


@dataclass(frozen=True)
class Document:
    """A YAML document: its plain Python ``value``, and the location of each of its parts."""

    path: Path
    node: yaml.Node

    @property
    def value(self) -> Any:
        """The document as plain Python data, built by the safe constructor."""
        return _plain(self.node)

    def where(self, *loc: str | int, key: bool = False) -> str:
        """Return ``file:line:column`` of the value at ``loc``, or of its key; of the nearest parent if it is absent."""
        found = self.node
        for step in loc:
            pairs = _children(found)
            match = next((pair for pair in reversed(pairs) if pair[0] == step), None)  # those merged by << come first
            if match is None:
                break
            _, key_node, found = match
        else:
            if key and loc:
                found = key_node
        return _where(self.path, found.start_mark)


def read_yaml(path: Path, named_at: str | None = None) -> Document:
    """Read one YAML document.

    Args:
        path: the file.
        named_at: the location in another file that refers to this one, shown if this file cannot be read.

    Raises SweeperError if the file is missing, not text, not YAML, empty, or has a duplicate key.
    """
    try:
        node = yaml.compose(path.read_bytes().decode("utf-8"), Loader=_Loader)
    except FileNotFoundError:
        raise SweeperError(f"{path}: no such file", fix=_other_files(path), where=named_at) from None
    except OSError as error:
        fix = "give the path of a YAML file"
        raise SweeperError(f"{path}: cannot be read: {error.strerror}", fix=fix, where=named_at) from None
    except (UnicodeDecodeError, yaml.reader.ReaderError):
        fix = "a search space is a YAML file in UTF-8"
        raise SweeperError(f"{path}: not a text file", fix=fix, where=named_at) from None
    except RecursionError:
        raise SweeperError(f"{path}: nested too deeply", fix="use fewer levels") from None
    except UNREADABLE as error:
        raise _not_yaml(path, error) from None
    if node is None:
        fix = "a search space has at least a name and a trainable"
        raise SweeperError(f"{path}: the file is empty", fix=fix, where=named_at)
    _check_parts(path, node, {})
    try:
        _plain(node)
    except UNREADABLE as error:
        raise _not_yaml(path, error) from None
    return Document(path, node)


def parse_value(text: str) -> Any:
    """Parse a command-line value as in a file; text that is not valid YAML stays text."""
    try:
        node = yaml.compose(text, Loader=_Loader)
        return None if node is None else _plain(node)
    except UNREADABLE:
        return text


def _plain(node: yaml.Node) -> Any:
    return yaml.constructor.SafeConstructor().construct_document(node)


def _not_yaml(path: Path, error: Exception) -> SweeperError:
    mark = error.problem_mark or error.context_mark if isinstance(error, yaml.MarkedYAMLError) else None
    where = _where(path, mark) if mark else str(path)
    problem = error.problem if isinstance(error, yaml.MarkedYAMLError) else error
    return SweeperError(f"not valid YAML: {problem}", fix="fix the YAML syntax here", where=where)


def _children(node: yaml.Node) -> list[tuple[str | int, yaml.Node, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        return [(str(key.value), key, value) for key, value in node.value]
    if isinstance(node, yaml.SequenceNode):
        return [(index, value, value) for index, value in enumerate(node.value)]
    return []


def _check_parts(path: Path, node: yaml.Node, counts: dict[int, int | None]) -> int:
    """Check a node and all below it, and return how many parts it has; ``counts`` caches this for aliases."""
    if (known := counts.get(id(node), 0)) is None:
        raise SweeperError(f"{path}: an alias refers to an anchor that contains it", fix="write the values out")
    if known:
        return known
    counts[id(node)] = None
    _check_value(path, node)
    count, seen = 1, set[str | int]()
    for name, key_node, value_node in _children(node):
        where = _where(path, key_node.start_mark)
        if isinstance(node, yaml.MappingNode) and key_node.tag not in NAMES:
            raise SweeperError("a key must be a plain name", fix="quote it, or remove the brackets", where=where)
        if name in seen:
            raise SweeperError(f"'{name}' is given twice", fix="remove one of the two", where=where)
        seen.add(name)
        _check_value(path, key_node)
        count += _check_parts(path, value_node, counts)
        if count > MAX_PARTS:
            fix = "write the values out, or split the file"
            raise SweeperError(f"aliases expand to more than {MAX_PARTS:,} values", fix=fix, where=where)
    counts[id(node)] = count
    return count


def _check_value(path: Path, node: yaml.Node) -> None:
    """Check that a value has a plain type and can be read as such. Raises SweeperError at its location."""
    where = _where(path, node.start_mark)
    if node.tag not in PLAIN:
        fix = "use a number, text, true, false, null, a list or a mapping; put quotes around text"
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        raise SweeperError(f"values of type {kind} are not supported", fix=fix, where=where)
    if isinstance(node, yaml.ScalarNode) and node.tag not in NAMES:
        try:
            str(_plain(node))
        except UNREADABLE:
            fix = "put quotes around it to make it text"
            raise SweeperError(f"'{node.value:.40}' is not a valid value", fix=fix, where=where) from None
    elif isinstance(node, yaml.ScalarNode) and UNPRINTABLE.search(node.value):
        raise SweeperError("the text has control characters or invalid Unicode", fix="remove them", where=where)


def _where(path: Path, mark: Any) -> str:
    return f"{path}:{mark.line + 1}:{mark.column + 1}"


def _other_files(path: Path) -> str:
    files = {each.stem: each.name for each in sorted(path.parent.glob("*.yaml"))} if path.parent.is_dir() else {}
    if not files:
        return "give the path of a search space's YAML file"
    close = difflib.get_close_matches(path.stem, files, n=2, cutoff=0.7)
    return suggestion([files[stem] for stem in close], list(files.values()))
