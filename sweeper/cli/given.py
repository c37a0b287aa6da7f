"""Collect the options that the user gave, and combine those of ``retry`` with those of the ``run`` before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

GIVEN = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
INSTEAD = {
    "executor": ("address", "max_concurrent"),
    "no_tracking": ("tracker", "tracking_uri"),
    "tracker": ("no_tracking", "tracking_uri"),
    "tracking_uri": ("no_tracking",),
}
"""Options that cannot be combined with this one."""
NEW_EACH_TIME = ("rerun",)
"""It throws away what other code made, of trials too that ``retry`` does not run."""


def given(context: click.Context, names: Iterable[str]) -> dict[str, Any]:
    """Return those of the options that the user gave, as plain values that hold in any directory; no passwords."""
    from sweeper.records.passwords import has_password

    found = {name: context.params[name] for name in names if context.get_parameter_source(name) in GIVEN}
    plain = {name: _absolute(name, value) for name, value in found.items() if name != "runs"}
    return {name: value for name, value in plain.items() if not (isinstance(value, str) and has_password(value))}


def kept(context: click.Context, recorded: Mapping[str, Any]) -> dict[str, Any]:
    """Return the recorded options of a sweep that hold for its ``retry``: all but what the user typed otherwise."""
    typed = [name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    gone = {*NEW_EACH_TIME, *typed, *(other for name in typed for other in INSTEAD.get(name, ()))}
    if recorded.get("executor") == "inline" and {"address", "max_concurrent"}.intersection(typed):
        gone.add("executor")  # which takes neither
    return {name: value for name, value in recorded.items() if name in context.params and name not in gone}


def _absolute(name: str, value: Any) -> Any:
    if name == "cache" or (name == "store" and "://" not in value):
        return str(Path(value).expanduser().absolute())
    return value
