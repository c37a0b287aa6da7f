"""Trainables by name: a package with a light ``config`` module and an ``experiment`` module.

``config`` offers ``Config``, a frozen pydantic model with a ``seed``, ``PRESETS``, named complete configs,
``FACTS`` and ``METRICS``, the numbers that are known before a run and those in its ``metrics.json``, and ``PARTS``, the
parts that the stages of a run belong to with their meaning; it imports nothing heavy, so that a wrong YAML file is
answered at once. ``experiment`` offers ``run(config) -> Stage``, the last stage, whose artifact holds ``metrics.json``,
the pictures, ``*.png``, to be seen beside the numbers, and measures too long for a number, ``*.arrow``;
``facts(config)``, the numbers known before anything runs; and ``check(config)``, whether it can run here. All three may
raise `InvalidConfig`. It may offer ``steps(config)``, stages whose ``metrics.json`` holds the numbers as they stand on
the way, such as after every task; the last one is that of ``run``. A search can stop a run there that promises little.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

import trainables
from sweeper.errors import nearest
from sweeper.number import Number
from sweeper.stage import Stage, SweeperError

OFFERED = {
    "Config": "a frozen pydantic model with a seed",
    "PRESETS": "complete configs by name",
    "FACTS": "a sweeper.number.Number for every name that facts(config) returns",
    "METRICS": "a sweeper.number.Number for every name in metrics.json",
    "PARTS": "the meaning of every part of a run's cost by name, see @stage(part=...)",
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
    def config(self) -> type[BaseModel]:
        """The typed config."""
        model: type[BaseModel] = self._offered("Config")
        return model

    @property
    def presets(self) -> Mapping[str, BaseModel]:
        """Complete configs by name."""
        presets: Mapping[str, BaseModel] = self._offered("PRESETS")
        return presets

    @property
    def known(self) -> Mapping[str, Number]:
        """The numbers known before a run, by name."""
        numbers: Mapping[str, Number] = self._offered("FACTS")
        return numbers

    @property
    def metrics(self) -> Mapping[str, Number]:
        """The numbers that a run ends with, by name."""
        numbers: Mapping[str, Number] = self._offered("METRICS")
        return numbers

    @property
    def parts(self) -> Mapping[str, str]:
        """Names and meanings of the parts of a run's cost."""
        parts: Mapping[str, str] = self._offered("PARTS")
        return parts

    @property
    def costs(self) -> Mapping[str, Number]:
        """What a trial costs, by name."""
        parts = {f"seconds.{part}": Number(meaning, "lower", f"{part} s") for part, meaning in self.parts.items()}
        return COSTS | parts

    def run(self, config: BaseModel) -> Stage:
        """Build the graph of one continual run."""
        last: Stage = importlib.import_module(f"{self.module}.experiment").run(config)
        return last

    def steps(self, config: BaseModel) -> Sequence[Stage]:
        """The stages that hold the numbers on the way through a run, in order; the last one is that of `run`."""
        experiment = importlib.import_module(f"{self.module}.experiment")
        steps: Sequence[Stage] = experiment.steps(config) if hasattr(experiment, "steps") else [experiment.run(config)]
        return steps

    def facts(self, config: BaseModel) -> dict[str, float]:
        """Numbers known before anything runs. Raises InvalidConfig."""
        facts: dict[str, float] = importlib.import_module(f"{self.module}.experiment").facts(config)
        return facts

    def check(self, config: BaseModel) -> None:
        """Check that what the run needs, such as its data set, is here. Raises InvalidConfig."""
        importlib.import_module(f"{self.module}.experiment").check(config)

    def _offered(self, name: str) -> Any:
        module = importlib.import_module(f"{self.module}.config")
        if not hasattr(module, name):
            raise SweeperError(f"{name} is missing", fix=f"add it: {OFFERED[name]}", where=module.__file__)
        return getattr(module, name)


def find_trainable(name: str) -> Trainable:
    """The trainable called ``name`` below ``trainables``, or the importable package of that dotted name.

    Raises SweeperError naming the nearest ones.
    """
    for module in (f"trainables.{name}", name):
        try:
            if importlib.util.find_spec(f"{module}.config"):
                return Trainable(name, module)
        except (ImportError, ValueError):
            continue
    known = [each.name for each in pkgutil.iter_modules(trainables.__path__) if each.ispkg]
    raise SweeperError(f"unknown trainable '{name}'", fix=nearest(name, known))


def dotted_fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every sweepable name of a config model with its pydantic field, in declaration order."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from dotted_fields(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field
