"""Load executors and trackers by name: built-in ones, and those of installed packages."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from typing import Any

from sweeper.errors import SweeperError, first_line, nearest


def load_plugin(kind: str, name: str, built_in: Mapping[str, str]) -> Any:
    """Load the object of a built-in name, or else of an entry point in the group ``sweeper.KINDs``.

    Args:
        kind: the kind of plugin, such as ``executor``.
        name: the name given by the user.
        built_in: ``module:attribute`` by name; these are found even without installed metadata.

    Raises:
        SweeperError: for an unknown name, with the nearest ones, and for an entry point that cannot be imported.
    """
    group = f"sweeper.{kind}s"
    known = {point.name: point for point in metadata.entry_points(group=group)}
    known |= {each: metadata.EntryPoint(each, value, group) for each, value in built_in.items()}
    if name not in known:
        raise SweeperError(f"unknown {kind} '{name}'", fix=nearest(name, known))
    try:
        return known[name].load()
    except (ImportError, AttributeError) as error:
        message = f"the {kind} '{name}' ({known[name].value}) cannot be imported: {first_line(error)}"
        raise SweeperError(message, fix="repair or reinstall its package") from None
