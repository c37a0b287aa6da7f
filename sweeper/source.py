"""YAML with positions: every place in the document knows the line and column it was written at."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sweeper.errors import SweeperError, suggestion

NAMES = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")
"""What YAML takes a key for that is a name, and not a number or one of its words for true and false."""


@dataclass(frozen=True)
class Document:
    """A YAML document: its plain Python ``value``, and `where` each part of it stands."""

    path: Path
    node: yaml.Node

    @property
    def value(self) -> Any:
        """The document as plain Python data, by the safe constructor."""
        return yaml.constructor.SafeConstructor().construct_document(self.node)

    def where(self, *loc: str | int, key: bool = False) -> str:
        """``file:line:column`` of the value at ``loc``, or of its key; of the nearest parent when it is absent."""
        found = self.node
        for step in loc:
            pairs = _children(found)
            match = next((pair for pair in pairs if pair[0] == step), None)
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
        node = yaml.compose(path.read_bytes().decode("utf-8"), Loader=yaml.SafeLoader)
    except FileNotFoundError:
        raise SweeperError(f"{path}: no such file", fix=_other_files(path), where=named_at) from None
    except OSError as error:
        fix = "name a YAML file"
        raise SweeperError(f"{path}: cannot be read: {error.strerror}", fix=fix, where=named_at) from None
    except (UnicodeDecodeError, yaml.reader.ReaderError):
        fix = "a search space is a YAML file in UTF-8"
        raise SweeperError(f"{path}: not a text file", fix=fix, where=named_at) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = _where(path, mark) if mark else str(path)
        raise SweeperError(f"not valid YAML: {error.problem}", fix="mend the syntax here", where=where) from None
    if node is None:
        fix = "a search space has at least a name and a trainable"
        raise SweeperError(f"{path}: the file is empty", fix=fix, where=named_at)
    document = Document(path, node)
    try:
        _check_keys(document, node)
    except RecursionError:
        raise SweeperError(f"{path}: an alias stands within its own anchor", fix="write the values out") from None
    return document


def parse_value(text: str) -> Any:
    """A value on the command line, read as in a file; what is not valid YAML is taken as text."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _children(node: yaml.Node) -> list[tuple[str | int, yaml.Node, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        return [(str(key.value), key, value) for key, value in node.value]
    if isinstance(node, yaml.SequenceNode):
        return [(index, value, value) for index, value in enumerate(node.value)]
    return []


def _check_keys(document: Document, node: yaml.Node) -> None:
    seen: set[str | int] = set()
    for name, key_node, value_node in _children(node):
        if isinstance(node, yaml.MappingNode) and key_node.tag not in NAMES:
            where = _where(document.path, key_node.start_mark)
            raise SweeperError("a key must be a plain name", fix="quote it, or remove the brackets", where=where)
        if name in seen:
            where = _where(document.path, key_node.start_mark)
            raise SweeperError(f"'{name}' is given twice", fix="remove one of the two", where=where)
        seen.add(name)
        _check_keys(document, value_node)


def _where(path: Path, mark: Any) -> str:
    return f"{path}:{mark.line + 1}:{mark.column + 1}"


def _other_files(path: Path) -> str:
    files = {each.stem: each.name for each in sorted(path.parent.glob("*.yaml"))} if path.parent.is_dir() else {}
    if not files:
        return "give the path of a search space's YAML file"
    close = difflib.get_close_matches(path.stem, files, n=2, cutoff=0.7)
    return suggestion([files[stem] for stem in close], list(files.values()))
