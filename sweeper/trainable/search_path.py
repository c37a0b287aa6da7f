"""Where Python looks for modules: nothing in the user's working directory shadows what is installed, or ours."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

BESIDE = str(Path(__file__).parents[2])
"""Holds sweeper, with analysis and trainables beside it."""


def append(directory: str) -> None:
    """Let Python find the trainables in ``directory`` too, behind all that is installed and behind what is ours."""
    for each in (BESIDE, directory):  # an editable install maps ours behind the whole of sys.path
        if each not in sys.path:
            sys.path.append(each)


def uninstalled() -> list[str]:
    """The directory that holds sweeper where it is not among the installed packages, such as a checkout."""
    return [] if sysconfig.get_path("purelib") == BESIDE else [BESIDE]
