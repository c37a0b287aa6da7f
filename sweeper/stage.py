"""Stages: pure functions from parameters and inputs to an artifact, called lazily.

``@stage`` turns a function into one whose call builds a `Stage` node instead of running. A node passed to
another stage is an input; everything else is a parameter, validated against the function's annotations.

    @stage(version=1)
    def train(run: StageRun, images: Path, lr: float) -> None:
        model = ...                                   # images is the directory of the input's artifact
        save_file(model, run.output / "model.safetensors")

    node = train(images=load(name="digits"), lr=1e-3)  # nothing runs here

The key of a node is the SHA-256 of the stage's name and version, its parameters in canonical JSON and the keys
of its inputs, and of nothing else: no path, machine, device, time or worker count. A parameter that only says where
something lies, while another one says what it is, is declared ``unkeyed``.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from pydantic import TypeAdapter

from sweeper.errors import Diverged, InvalidConfig, SweeperError, nearest
from sweeper.resources import Resources

__all__ = ["Diverged", "InvalidConfig", "Stage", "StageFunction", "StageRun", "SweeperError", "nearest", "stage"]

Inputs = Mapping[str, "Stage | tuple[Stage, ...]"]


class StageRun(Protocol):
    """What a stage's body is given to work with, as its first argument."""

    @property
    def output(self) -> Path:
        """Directory to write the artifact's files into."""

    @property
    def device(self) -> str:
        """Torch device: ``"cpu"`` or ``"cuda"``."""

    @property
    def saved(self) -> Path | None:
        """Directory of the last saved progress of this very stage, or None at the first start."""

    def due(self) -> bool:
        """Whether it is time to save progress. When is free: a stage continued must equal one that was not."""

    def save(self, write: Callable[[Path], None]) -> None:
        """Save progress: ``write`` fills an empty directory, which then replaces the last one in one step."""

    def log(self, step: int, total: int, **metrics: float) -> None:
        """Record metrics after ``step`` of ``total`` steps: the learning curve, and the progress shown."""


@dataclass(frozen=True)
class Stage:
    """A node of the graph: a stage function with its parameters and inputs. Not run, and cheap to build."""

    function: StageFunction
    params: Mapping[str, Any]
    """Parameters in canonical JSON form."""
    inputs: Inputs
    work: float
    """Relative cost, in the unit that the trainable's stages share."""

    @cached_property
    def key(self) -> str:
        """64 hexadecimal digits: the address of the artifact."""
        identity = {
            "stage": self.function.name,
            "version": self.function.version,
            "params": {name: value for name, value in self.params.items() if name not in self.function.unkeyed},
            "inputs": self.input_keys,
        }
        text = json.dumps(identity, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def input_keys(self) -> dict[str, str | list[str]]:
        """Keys of the inputs by argument name."""
        return {
            name: value.key if isinstance(value, Stage) else [each.key for each in value]
            for name, value in self.inputs.items()
        }

    def parents(self) -> Iterator[Stage]:
        """The input stages, in argument order."""
        for value in self.inputs.values():
            yield from (value,) if isinstance(value, Stage) else value

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stage) and self.key == other.key


class StageFunction:
    """A function under ``@stage``: calling it builds a node; ``body`` is the function itself."""

    def __init__(
        self,
        body: Callable[..., None],
        *,
        version: int,
        resources: Resources,
        work: Callable[..., float] | None,
        part: str | None,
        unkeyed: Collection[str],
    ) -> None:
        self.body = body
        self.version = version
        self.resources = resources
        self.part = part or body.__qualname__
        self.unkeyed = frozenset(unkeyed)
        self.counts_work = work is not None
        """Whether the work of its stages is counted from their arguments, rather than 1 for lack of a count."""
        self._work = work or (lambda **_: 1.0)
        self.module, self.label = body.__module__, body.__qualname__
        self.name = f"{self.module}:{self.label}"
        self.__doc__ = body.__doc__

    @cached_property
    def _signature(self) -> inspect.Signature:
        signature = inspect.signature(self.body)
        _run, *rest = signature.parameters.values()
        return signature.replace(parameters=rest)

    @cached_property
    def _types(self) -> dict[str, TypeAdapter[Any]]:
        hints = typing.get_type_hints(self.body)
        return {name: TypeAdapter(hints[name]) for name in self._signature.parameters}

    def __call__(self, *args: Any, **kwargs: Any) -> Stage:
        """Build the node. Raises TypeError for arguments that the function does not take."""
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        inputs: dict[str, Stage | tuple[Stage, ...]] = {}
        values: dict[str, Any] = {}
        for name, value in bound.arguments.items():
            if isinstance(value, Stage):
                inputs[name] = value
            elif isinstance(value, list | tuple) and value and all(isinstance(v, Stage) for v in value):
                inputs[name] = tuple(value)
            else:
                values[name] = self._types[name].validate_python(value)
        params = {name: self._types[name].dump_python(value, mode="json") for name, value in values.items()}
        return Stage(self, params, inputs, self._work(**values, **inputs))

    def run(self, run: StageRun, params: Mapping[str, Any], inputs: Mapping[str, Path | tuple[Path, ...]]) -> None:
        """Run the body on parameters in JSON form and the directories of its inputs."""
        values = {name: self._types[name].validate_python(value) for name, value in params.items()}
        self.body(run, **values, **inputs)

    @classmethod
    def named(cls, name: str) -> StageFunction:
        """The stage function called ``module:qualname``; imports its module."""
        module, _, label = name.partition(":")
        function = getattr(importlib.import_module(module), label)
        if not isinstance(function, cls):
            raise TypeError(f"{name} is not a stage")
        return function


def stage(
    *,
    version: int,
    cpus: int = 1,
    gpus: float = 0.0,
    memory: int = 0,
    work: Callable[..., float] | None = None,
    part: str | None = None,
    unkeyed: Collection[str] = (),
) -> Callable[[Callable[..., None]], StageFunction]:
    """Declare a stage.

    Args:
        version: raised by the author whenever the meaning of the result changes.
        cpus: CPU threads that it is given, and that it uses.
        gpus: share of a GPU that it is given on a cluster that has any; 0 keeps it on the CPU.
        memory: bytes of main memory that it needs; 0 asks for none in particular.
        work: relative cost from the stage's own arguments, for order and estimates; 1 without it.
        part: the part of the experiment whose cost it belongs to, such as sampling; its own name without it.
        unkeyed: parameters that say where to find what another parameter identifies; they are not in the key.
    """

    def decorate(body: Callable[..., None]) -> StageFunction:
        return StageFunction(
            body, version=version, resources=Resources(cpus, gpus, memory), work=work, part=part, unkeyed=unkeyed,
        )  # fmt: skip

    return decorate
