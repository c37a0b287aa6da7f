"""sweeper: one YAML file to a finished ablation table.

A continual run is a plain function that calls stages; a stage is a pure function from its own parameters
and inputs to an artifact; the artifact's address is the hash of exactly those. What agrees is done once.

Trainables are written with `stage`, `Stage`, `StageRun`, `Number`, `Trainable`, `InvalidConfig` and `Diverged`.
Sweeps are run from Python with `load`, `plan`, `run` and `read`:

    import sweeper

    sweep = sweeper.load("search_spaces/final.yaml", seeds="0-2")
    print(sweeper.plan(sweep))
    sweeper.run(sweep, inline=True)
    sweeper.read("runs", "final").table
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # relative, because provenance.source_hash takes absolute imports for code that a worker runs
    from .api import load, plan, read, run
    from .errors import Diverged, InvalidConfig, SweeperError, nearest
    from .number import Number
    from .stage import Stage, StageRun, stage
    from .trainable import Trainable

__version__ = "0.1.0"
__all__ = [
    "Diverged", "InvalidConfig", "Number", "Stage", "StageRun", "SweeperError", "Trainable", "load", "nearest", "plan",
    "read", "run", "stage",
]  # fmt: skip

_MODULES = {
    **dict.fromkeys(("load", "plan", "read", "run"), "api"),
    **dict.fromkeys(("Diverged", "InvalidConfig", "SweeperError", "nearest"), "errors"),
    **dict.fromkeys(("Stage", "StageRun", "stage"), "stage"),
    "Number": "number",
    "Trainable": "trainable",
}
"""The submodule of every public name, imported on first use."""


class _Package(ModuleType):
    """Keeps ``stage``, ``plan`` and ``run`` functions when the submodules of these names are imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _MODULES or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'sweeper' has no attribute '{name}'")
    return getattr(importlib.import_module(f"sweeper.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


sys.modules[__name__].__class__ = _Package
