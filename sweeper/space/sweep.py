"""Sweeps: one search space, or several that a file includes, planned and run as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sweeper.errors import SweeperError
from sweeper.space.document import Document, read_yaml
from sweeper.space.schema import IncludeFile, parse_include
from sweeper.space.space import Space, load_space


@dataclass(frozen=True)
class Asked:
    """The command line's arguments that select a sweep."""

    file: Path
    sets: Sequence[str] = ()
    seeds: str | None = None
    preset: str | None = None


@dataclass(frozen=True)
class Sweep:
    """Search spaces that run as one, and share equal stages."""

    name: str
    spaces: Sequence[Space]
    asked: Asked
    files: Sequence[Path]
    """The YAML file, and all files that it includes."""


def load_sweep(path: Path, *, sets: Sequence[str] = (), seeds: str | None = None, preset: str | None = None) -> Sweep:
    """Read a file and all that it includes, each space with the command line's overrides. Nothing is written.

    Raises SweeperError, with file, line and column, for the first fault.
    """
    asked, document = Asked(path, sets, seeds, preset), read_yaml(path)
    file = parse_include(document)
    if file is None:
        space = load_space(document, sets=sets, seeds=seeds, preset=preset)
        return Sweep(space.name, [space], asked, [path])
    spaces: dict[str, Space] = {}
    files = [path]
    for included, where in _included(document, file, [path.resolve()]):
        space = load_space(included, sets=sets, seeds=seeds, preset=preset)
        if space.name in spaces:
            fix = "give each its own name, and include it once"
            raise SweeperError(f"two included spaces are named '{space.name}'", fix=fix, where=where)
        spaces[space.name] = space
        files.append(included.path)
    return Sweep(file.name, list(spaces.values()), asked, files)


def _included(document: Document, file: IncludeFile, chain: Sequence[Path]) -> Iterator[tuple[Document, str]]:
    """Yield the search spaces below a file, at any depth, each with its location. ``chain`` leads to the file."""
    for index, name in enumerate(file.include):
        path, where = document.path.parent / name, document.where("include", index)
        if path.resolve() in chain:
            raise SweeperError(f"{path} includes itself", fix="remove it from this list", where=where)
        included = read_yaml(path, named_at=where)
        inner = parse_include(included)
        if inner is None:
            yield included, where
        else:
            yield from _included(included, inner, [*chain, path.resolve()])
