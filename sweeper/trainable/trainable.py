"""Trainables: the experiments that can be swept, each declared as one object and found by name.

A module of a few lines is enough:

    # lab.py
    from pathlib import Path

    from pydantic import BaseModel

    from sweeper import Stage, StageRun, Trainable, stage

    class Config(BaseModel, frozen=True):
        seed: int = 0
        lr: float = 0.1

    @stage(version=1)
    def train(run: StageRun, lr: float, seed: int) -> None:
        (run.output / "metrics.json").write_text('{"loss": 0.5}')

    def experiment(config: Config) -> Stage:
        return train(config.lr, config.seed)

    trainable = Trainable(config=Config, experiment=experiment)

A search space refers to it by its module, ``trainable: lab``, by ``module:attribute``, or by the name that a package
registers in the entry point group ``sweeper.trainables``.
"""

from __future__ import annotations

import functools
import importlib
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import metadata
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from sweeper.errors import SweeperError, first_line, nearest
from sweeper.trainable.number import Number
from sweeper.trainable.stage import Stage

if TYPE_CHECKING:
    from analysis.figures import Drawing

GROUP = "sweeper.trainables"
"""The entry point group of installed trainables."""
ATTRIBUTE = "trainable"
"""The attribute of a module that holds its trainable, unless the name gives another."""
DECLARE = f"{ATTRIBUTE} = Trainable(config=..., experiment=...)"
COSTS = {
    "seconds": Number("seconds of all its stages, each measured when it ran", "lower"),
    "seconds_saved": Number(
        "seconds of the stages that it shares with earlier trials of the sweep", title="seconds saved"
    ),
    "gpu_hours": Number("hours of its stages on GPUs, each times its share of a GPU", "lower", "GPU-hours"),
    "peak_memory": Number(
        "largest memory of any of its stages in MiB: allocated on the GPU, or resident on a CPU", "lower", "peak MiB", 0
    ),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Trainable:
    """An experiment that can be swept: a typed config, and a function that builds a run from it.

    Functions may be given as a path, ``"package.module:name"``, which is imported on first use: then a mistake in a
    YAML file is reported without importing torch. ``"package.module"`` alone stands for its function ``run``,
    ``facts``, ``check`` or ``steps``. All of them may raise `InvalidConfig`. Figures may be given as a path as well.

    Raises:
        SweeperError: if the declaration is invalid.
    """

    config: type[BaseModel]
    """A frozen pydantic model with a ``seed``; its fields, by dotted name, can be swept."""
    experiment: Callable[[Any], Stage] | str
    """Build a run from a config: return its last stage, whose artifact holds ``metrics.json``, the pictures, ``*.png``,
    and measures too long for a number, ``*.arrow``."""
    presets: Mapping[str, BaseModel] = field(default_factory=dict)
    """Complete configs by name; by default only ``default``, the config built without arguments."""
    metrics: Mapping[str, Number] = field(default_factory=dict)
    """Descriptions of the numbers in ``metrics.json`` by name. By default every number there is accepted."""
    known: Mapping[str, Number] = field(default_factory=dict)
    """Descriptions of the numbers that ``facts`` returns, by name."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """Descriptions of the parts of a run's cost by name, see ``@stage(part=...)``; each has a column of seconds. By
    default stages may have any part, and there are no such columns."""
    facts: Callable[[Any], Mapping[str, float]] | str | None = None
    """Return numbers of a config that are known before anything runs; by default none."""
    check: Callable[[Any], None] | str | None = None
    """Check that a run's requirements, such as its data set, are available; by default nothing is checked."""
    steps: Callable[[Any], Sequence[Stage]] | str | None = None
    """Return the stages whose ``metrics.json`` holds intermediate numbers of a run, such as after every task; the last
    one is that of ``experiment``. A search can stop a run after each of them. By default only the last one."""
    figures: Mapping[str, Drawing] | str = field(default_factory=dict)
    """Figures of its own by name, drawn beside those that every sweep has. ``"package.module"`` stands for its
    ``FIGURES``, imported only to draw; by default there are none."""
    name: str = ""
    """Its name in a search space; set by `find_trainable`."""

    def __post_init__(self) -> None:
        if "seed" not in self.config.model_fields:
            raise SweeperError(f"{self.config.__name__} has no field seed", fix="add it: seed: int = 0")
        if self.facts and not self.known:
            fix = "describe each of them: known={name: Number(...)}"
            raise SweeperError("the trainable has facts, but known is empty", fix=fix)
        if not self.presets:
            object.__setattr__(self, "presets", {"default": _default(self.config)})

    @property
    def declares_metrics(self) -> bool:
        """True if the numbers of a run are declared. Otherwise every number in its ``metrics.json`` is accepted."""
        return bool(self.metrics)

    @property
    def declares_parts(self) -> bool:
        """True if the parts of a run's cost are declared. Otherwise a stage may have any part."""
        return bool(self.parts)

    @property
    def costs(self) -> Mapping[str, Number]:
        """Descriptions of a trial's costs by name."""
        parts = {f"seconds.{part}": Number(meaning, "lower", f"{part} s") for part, meaning in self.parts.items()}
        return COSTS | parts

    @property
    def module(self) -> str:
        """Name of the module that holds the experiment, which is not imported."""
        return self.experiment.partition(":")[0] if isinstance(self.experiment, str) else self.experiment.__module__

    def run(self, config: BaseModel) -> Stage:
        """Build the graph of one run and return its last stage. Raises InvalidConfig if the config is rejected."""
        last: Stage = _resolved(self.experiment, "run")(config)
        return last

    def steps_of(self, config: BaseModel) -> Sequence[Stage]:
        """Build the stages that hold intermediate numbers of a run, in order; the last one is that of `run`."""
        if self.steps is None:
            return [self.run(config)]
        steps: Sequence[Stage] = _resolved(self.steps, "steps")(config)
        return steps

    def facts_of(self, config: BaseModel) -> dict[str, float]:
        """Return the numbers known before anything runs. Raises InvalidConfig if the experiment rejects the config."""
        return {} if self.facts is None else dict(_resolved(self.facts, "facts")(config))

    def check_config(self, config: BaseModel) -> None:
        """Check that the run's requirements are available. Raises InvalidConfig if not."""
        if self.check is not None:
            _resolved(self.check, "check")(config)

    def own_figures(self) -> Mapping[str, Drawing]:
        """Return the figures that only its sweeps have, by name."""
        found: Mapping[str, Drawing] = _resolved(self.figures, "FIGURES")
        return found


@functools.cache
def installed() -> Mapping[str, metadata.EntryPoint]:
    """Return the entry points of the installed trainables by name."""
    return {point.name: point for point in metadata.entry_points(group=GROUP)}


def find_trainable(name: str) -> Trainable:
    """Return the installed trainable ``name``, or that of the module ``name`` or ``module:attribute``.

    Raises:
        SweeperError: for an unknown name, with the nearest ones, and for a module that cannot be imported.
    """
    module, _, attribute = (installed()[name].value if name in installed() else name).partition(":")
    holder = _imported(module)
    if holder is None:
        raise _unknown(name)
    found = getattr(holder, attribute or ATTRIBUTE, None)
    if not isinstance(found, Trainable):
        file = getattr(holder, "__file__", None) or "a directory"
        raise SweeperError(
            f"module {module} ({file}) has no Trainable named '{attribute or ATTRIBUTE}'",
            fix=f"add it: {DECLARE}",
        )
    return replace(found, name=name)


def dotted_fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every dotted name of a config model with its pydantic field, in declaration order."""
    for name, each in model.model_fields.items():
        if isinstance(each.annotation, type) and issubclass(each.annotation, BaseModel):
            yield from dotted_fields(each.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", each


def _default(config: type[BaseModel]) -> BaseModel:
    try:
        return config()
    except ValidationError as error:
        names = ", ".join(".".join(map(str, each["loc"])) for each in error.errors())
        message = f"{config.__name__} cannot be built without arguments: {names}"
        raise SweeperError(message, fix="give the fields defaults, or the trainable presets={name: config}") from None


def _unknown(name: str) -> SweeperError:
    known = list(installed())
    places = f"not among the installed ones ({', '.join(known) or 'none'}), and no module in the working directory"
    fix = nearest(name, known)
    if not fix.startswith("did you mean"):
        fix = f"use an installed one, or write {name.partition(':')[0]}.py with {DECLARE}"
    return SweeperError(f"unknown trainable '{name}': {places}", fix=fix)


def _resolved(given: Any, default: str) -> Any:
    """Return what is given, imported if it is a path. Raises SweeperError if the path is wrong."""
    if not isinstance(given, str):
        return given
    module, _, name = given.partition(":")
    holder = _imported(module)
    if holder is None:
        message = f"the trainable refers to {given}, but there is no module {module}"
        raise SweeperError(message, fix="correct the path")
    if not hasattr(holder, name or default):
        raise SweeperError(f"module {module} has no '{name or default}'", fix=f"add it to {holder.__file__}")
    return getattr(holder, name or default)


def _imported(module: str) -> Any:
    """Import a module; return None if it does not exist. Raises SweeperError, with the cause, if importing it fails."""
    if not all(part.isidentifier() for part in module.split(".")):
        return None
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and f"{module}.".startswith(f"{error.name}."):
            return None
        raise _broken(module, error) from None
    except Exception as error:
        raise _broken(module, error) from None


def _broken(module: str, error: Exception) -> SweeperError:
    cause = f"{type(error).__name__}: {first_line(error)}"
    fix = f"correct it; python -c 'import {module}' shows the traceback"
    if isinstance(error, SweeperError):
        cause, fix = error.message, error.fix or fix
    return SweeperError(f"module {module} cannot be imported: {_raised_at(module, error)}: {cause}", fix=fix)


def _raised_at(module: str, error: Exception) -> str:
    """Return ``file:line`` of the innermost line within the module's own package that raised the error."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}"
    package, where = module.partition(".")[0], module
    for frame, line in traceback.walk_tb(error.__traceback__):
        if frame.f_globals.get("__name__", "").partition(".")[0] == package:
            where = f"{frame.f_code.co_filename}:{line}"
    return where
