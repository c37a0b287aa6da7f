"""YAML with positions: every place in the document knows the line and column it was written at."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sweeper.errors import SweeperError, suggestion

NAMES = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")
"""What YAML takes a key for that is a name, and not a number or one of its words for true and false."""
PLAIN = {f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "str", "int", "float", "bool", "null", "merge")}
MOST_PARTS = 100_000
"""Names and values of a document with its aliases written out: a few lines of them can stand for billions."""
UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""What escapes can put into text and neither a terminal nor a path can hold."""
UNREADABLE = (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError)
"""What PyYAML raises for a value, such as 2001-99-99, that is not what it looks like or is tagged as."""


class _Loader(yaml.SafeLoader):
    """Reads 1e-3 as the number it is: YAML 1.1 would want 1.0e-3."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$", re.ASCII), list("-+.0123456789")
)


@dataclass(frozen=True)
class Document:
    """A YAML document: its plain Python ``value``, and `where` each part of it stands."""

    path: Path
    node: yaml.Node

    @property
    def value(self) -> Any:
        """The document as plain Python data, by the safe constructor."""
        return _plain(self.node)

    def where(self, *loc: str | int, key: bool = False) -> str:
        """``file:line:column`` of the value at ``loc``, or of its key; of the nearest parent when it is absent."""
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
        named_at: the place of another file that names this one, for a file that cannot be read.

    Raises SweeperError when the file is missing, not text, not YAML or empty, or gives a key twice.
    """
    try:
        node = yaml.compose(path.read_bytes().decode("utf-8"), Loader=_Loader)
    except FileNotFoundError:
        raise SweeperError(f"{path}: no such file", fix=_other_files(path), where=named_at) from None
    except OSError as error:
        fix = "name a YAML file"
        raise SweeperError(f"{path}: cannot be read: {error.strerror}", fix=fix, where=named_at) from None
    except (UnicodeDecodeError, yaml.reader.ReaderError):
        fix = "a search space is a YAML file in UTF-8"
        raise SweeperError(f"{path}: not a text file", fix=fix, where=named_at) from None
    except RecursionError:
        raise SweeperError(f"{path}: nested too deeply", fix="a search space is a few levels deep") from None
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
    """A value on the command line, read as in a file; what is not valid YAML is taken as text."""
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
    """Check a node and all below it, and return how many parts it has. ``counts`` remembers those of aliases."""
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
        if count > MOST_PARTS:
            fix = "write the values out, or split the file"
            raise SweeperError(f"aliases stand for more than {MOST_PARTS:,} values", fix=fix, where=where)
    counts[id(node)] = count
    return count


def _check_value(path: Path, node: yaml.Node) -> None:
    """A value is of a plain kind, and what it is written as. Raises SweeperError at it."""
    where = _where(path, node.start_mark)
    if node.tag not in PLAIN:
        fix = "write a number, text, true, false, null, a list, or names and values; quote what is meant as text"
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        raise SweeperError(f"values of type {kind} are not supported", fix=fix, where=where)
    if isinstance(node, yaml.ScalarNode) and node.tag not in NAMES:
        try:
            str(_plain(node))
        except UNREADABLE:
            fix = "quote what is meant as text"
            raise SweeperError(f"'{node.value:.40}' cannot be read", fix=fix, where=where) from None
    elif isinstance(node, yaml.ScalarNode) and UNPRINTABLE.search(node.value):
        raise SweeperError("the text has characters that UTF-8 cannot encode", fix="remove them", where=where)


def _where(path: Path, mark: Any) -> str:
    return f"{path}:{mark.line + 1}:{mark.column + 1}"


def _other_files(path: Path) -> str:
    files = {each.stem: each.name for each in sorted(path.parent.glob("*.yaml"))} if path.parent.is_dir() else {}
    if not files:
        return "give the path of a search space's YAML file"
    close = difflib.get_close_matches(path.stem, files, n=2, cutoff=0.7)
    return suggestion([files[stem] for stem in close], list(files.values()))
