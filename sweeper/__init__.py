"""sweeper: one YAML file to a finished ablation table.

An experiment is a plain function that calls stages; a stage is a pure function from its parameters and inputs to an
artifact; the artifact's address is the hash of exactly those. Work that trials share is done once.

Trainables are written with `stage`, `Stage`, `StageRun`, `NotInKey`, `Number`, `Trainable`, `InvalidConfig` and
`Diverged`. Executors, trackers and stores implement `Executor`, `Tracker` and `Store`.
Sweeps are run from Python with `load`, `plan`, `run` and `read`:

    import sweeper

    sweep = sweeper.load("search_spaces/final.yaml", seeds="0-2")
    print(sweeper.plan(sweep))
    sweeper.run(sweep, executor="inline")
    sweeper.read("runs", "final").table
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sweeper.api import load, plan, read, run
    from sweeper.engine.executors.base import Executor
    from sweeper.errors import Diverged, InvalidConfig, SweeperError, nearest
    from sweeper.store.base import Store
    from sweeper.tracking.base import Tracker
    from sweeper.trainable.number import Number
    from sweeper.trainable.parameter import NotInKey
    from sweeper.trainable.stage import Stage, StageRun, stage
    from sweeper.trainable.trainable import Trainable

__version__ = "0.1.0"
__all__ = [
    "Diverged",
    "Executor",
    "InvalidConfig",
    "NotInKey",
    "Number",
    "Stage",
    "StageRun",
    "Store",
    "SweeperError",
    "Tracker",
    "Trainable",
    "load",
    "nearest",
    "plan",
    "read",
    "run",
    "stage",
]

_MODULES = {
    **dict.fromkeys(("load", "plan", "read", "run"), "api"),
    **dict.fromkeys(("Diverged", "InvalidConfig", "SweeperError", "nearest"), "errors"),
    **dict.fromkeys(("Stage", "StageRun", "stage"), "trainable.stage"),
    "Executor": "engine.executors.base",
    "NotInKey": "trainable.parameter",
    "Number": "trainable.number",
    "Store": "store.base",
    "Tracker": "tracking.base",
    "Trainable": "trainable.trainable",
}
"""The submodule of every public name, imported on first use."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'sweeper' has no attribute '{name}'")
    return getattr(importlib.import_module(f"sweeper.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
