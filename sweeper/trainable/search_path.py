"""The module search path: nothing in the working directory shadows installed packages or those of this project."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

BESIDE = str(Path(__file__).parents[2])
"""The directory that holds sweeper, with analysis and trainables beside it."""


def append(directory: str) -> None:
    """Append ``directory`` to the search path, behind installed packages and those of this project."""
    for each in (BESIDE, directory):  # an editable install is found only after all of sys.path
        if each not in sys.path:
            sys.path.append(each)


def uninstalled() -> list[str]:
    """Return the directory that holds sweeper if it is not installed, such as a checkout; otherwise nothing."""
    return [] if sysconfig.get_path("purelib") == BESIDE else [BESIDE]
