"""Trainables by name: a package with a light ``config`` module and an ``experiment`` module.

``config`` offers ``Config``, a frozen pydantic model with a ``seed``, and ``PRESETS``, named complete configs. It may
offer ``FACTS`` and ``METRICS``, the numbers that are known before a run and those in its ``metrics.json`` (without
``METRICS`` every number there is taken as it is), and ``PARTS``, the parts that the stages of a run belong to with
their meaning (without it every stage is a part of its own). It imports nothing heavy, so that a wrong YAML file is
answered at once. ``experiment`` offers ``run(config) -> Stage``, the last stage, whose artifact holds ``metrics.json``,
the pictures, ``*.png``, to be seen beside the numbers, and measures too long for a number, ``*.arrow``. It may offer
``facts(config)``, the numbers known before anything runs, and ``check(config)``, whether it can run here. All three may
raise `InvalidConfig`. It may offer ``steps(config)``, stages whose ``metrics.json`` holds the numbers as they stand on
the way, such as after every task; the last one is that of ``run``. A search can stop a run there that promises little.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from pydantic import BaseModel

from sweeper.trainable.number import Number
from sweeper.trainable.packages import find_package, load
from sweeper.trainable.stage import Stage, StageFunction, SweeperError

REQUIRED = {
    "Config": "a frozen pydantic model with a seed",
    "PRESETS": "complete configs by name",
}
COSTS = {
    "seconds": Number("seconds of all its stages, each measured when it ran", "lower"),
    "seconds_saved": Number(
        "seconds of those among them that an earlier trial of the sweep has as well", title="seconds saved"
    ),
    "gpu_hours": Number("hours of its stages on GPUs, each times its share of a GPU", "lower", "GPU-hours"),
    "peak_memory": Number(
        "largest memory of one of its stages in MiB: allocated on the GPU, or resident on a CPU", "lower", "peak MiB", 0
    ),
}


@dataclass(frozen=True)
class Trainable:
    """A trainable by its name and the module that holds it."""

    name: str
    module: str

    @property
    def declares_metrics(self) -> bool:
        """Whether the numbers of a run are declared; every number in its ``metrics.json`` is taken as it is if not."""
        return hasattr(self._config, "METRICS")

    @property
    def declares_parts(self) -> bool:
        """Whether the parts of a run's cost are declared; every stage is one of its own if not."""
        return hasattr(self._config, "PARTS")

    @property
    def config(self) -> type[BaseModel]:
        """The typed config."""
        model: type[BaseModel] = self._required("Config")
        return model

    @property
    def presets(self) -> Mapping[str, BaseModel]:
        """Complete configs by name."""
        presets: Mapping[str, BaseModel] = self._required("PRESETS")
        return presets

    @property
    def known(self) -> Mapping[str, Number]:
        """The numbers known before a run, by name."""
        numbers: Mapping[str, Number] = getattr(self._config, "FACTS", {})
        return numbers

    @property
    def metrics(self) -> Mapping[str, Number]:
        """The declared numbers that a run ends with, by name."""
        numbers: Mapping[str, Number] = getattr(self._config, "METRICS", {})
        return numbers

    @property
    def parts(self) -> Mapping[str, str]:
        """Names and meanings of the parts of a run's cost."""
        if not self.declares_parts:
            return {each.part: f"the stage {each.label}" for each in _stages_in(self._experiment)}
        parts: Mapping[str, str] = self._config.PARTS
        return parts

    @property
    def costs(self) -> Mapping[str, Number]:
        """What a trial costs, by name."""
        parts = {f"seconds.{part}": Number(meaning, "lower", f"{part} s") for part, meaning in self.parts.items()}
        return COSTS | parts

    def run(self, config: BaseModel) -> Stage:
        """Build the graph of one continual run."""
        last: Stage = self._experiment.run(config)
        return last

    def steps(self, config: BaseModel) -> Sequence[Stage]:
        """The stages that hold the numbers on the way through a run, in order; the last one is that of `run`."""
        experiment = self._experiment
        steps: Sequence[Stage] = experiment.steps(config) if hasattr(experiment, "steps") else [experiment.run(config)]
        return steps

    def facts(self, config: BaseModel) -> dict[str, float]:
        """Numbers known before anything runs. Raises InvalidConfig."""
        facts: dict[str, float] = self._experiment.facts(config) if hasattr(self._experiment, "facts") else {}
        return facts

    def check(self, config: BaseModel) -> None:
        """Check that what the run needs, such as its data set, is here. Raises InvalidConfig."""
        if hasattr(self._experiment, "check"):
            self._experiment.check(config)

    @property
    def _config(self) -> ModuleType:
        return load(self.name, f"{self.module}.config")

    @property
    def _experiment(self) -> ModuleType:
        return load(self.name, f"{self.module}.experiment")

    def _required(self, name: str) -> Any:
        if not hasattr(self._config, name):
            raise SweeperError(f"{name} is missing", fix=f"add it: {REQUIRED[name]}", where=self._config.__file__)
        return getattr(self._config, name)


def _stages_in(module: ModuleType) -> Iterator[StageFunction]:
    """The stage functions that a module defines or imports, and those of the modules that it imports."""
    imported = [each for each in vars(module).values() if isinstance(each, ModuleType)]
    for each in (module, *imported):
        yield from (found for found in vars(each).values() if isinstance(found, StageFunction))


def find_trainable(name: str) -> Trainable:
    """Return the trainable called ``name`` below ``trainables``, or the importable package of that dotted name.

    Raises SweeperError that says what is there instead.
    """
    return Trainable(name, find_package(name))


def dotted_fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every sweepable name of a config model with its pydantic field, in declaration order."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from dotted_fields(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field
