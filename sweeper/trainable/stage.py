"""Stages: pure functions from parameters and inputs to an artifact, called lazily.

``@stage`` turns a function into one whose call builds a `Stage` node instead of running. A node passed to
another stage is an input; everything else is a parameter, validated against the function's annotations.

    @stage(name="train", version=1)
    def train(run: StageRun, images: Path, lr: float) -> None:
        model = ...                                   # images is the directory of the input's artifact
        save_file(model, run.output / "model.safetensors")

    node = train(images=load(name="digits"), lr=1e-3)  # nothing runs here

The key of a node is the SHA-256 of the stage's name and version, its parameters in canonical JSON and the keys
of its inputs, and of nothing else: no module, path, machine, device, time or worker count. So code may move between
files without losing an artifact, as long as the stage keeps its name. A value that only gives a location, while
another one identifies the content, is marked `NotInKey`.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import re
import typing
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import is_, itemgetter
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from sweeper.errors import Diverged, InvalidConfig, SweeperError, nearest
from sweeper.trainable.parameter import KEPT, NotInKey, Parameter, Value, canonical_json
from sweeper.trainable.resources import Resources

__all__ = [
    "Diverged",
    "InvalidConfig",
    "NotInKey",
    "Stage",
    "StageFunction",
    "StageRun",
    "SweeperError",
    "nearest",
    "stage",
]

Argument: TypeAlias = "Value | Stage | tuple[Stage, ...]"
Reports: TypeAlias = "Collection[str] | Callable[..., Collection[str]]"
Reorder: TypeAlias = Callable[[Sequence[Any]], tuple[Any, ...]]
Inputs = Mapping[str, "Stage | tuple[Stage, ...]"]

NAME = re.compile(r"(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*")
"""A stage's name: identifiers joined by dots, of which the last is its label."""


class StageRun(Protocol):
    """The context of a running stage, passed to its body as the first argument."""

    @property
    def output(self) -> Path:
        """Directory to write the artifact's files into."""

    @property
    def device(self) -> str:
        """Torch device: ``"cpu"`` or ``"cuda"``."""

    @property
    def saved(self) -> Path | None:
        """Directory of the last saved progress of this stage, or None at its first start."""

    def due(self) -> bool:
        """Check whether it is time to save progress. A resumed stage must give the result of an uninterrupted one."""

    def save(self, write: Callable[[Path], None]) -> None:
        """Save progress: ``write`` fills an empty directory, which then replaces the last one atomically."""

    def log(self, step: int, total: int, **metrics: float) -> None:
        """Log metrics after ``step`` of ``total`` steps, for the learning curve and the progress display."""


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A node of the graph: a stage function with its parameters and inputs. Building one is cheap and runs nothing."""

    function: StageFunction
    arguments: tuple[Argument, ...]
    """Parameters and inputs in the order of the function's arguments."""
    key: str
    """64 hexadecimal digits: the address of the artifact."""

    @property
    def params(self) -> Mapping[str, Any]:
        """Parameters in canonical JSON form."""
        return {name: each.json for name, each in self._named() if isinstance(each, Value)}

    @property
    def inputs(self) -> Inputs:
        """Input stages by argument name."""
        return {name: each for name, each in self._named() if not isinstance(each, Value)}

    @property
    def input_keys(self) -> dict[str, str | list[str]]:
        """Keys of the inputs by argument name."""
        return {
            name: value.key if isinstance(value, Stage) else [each.key for each in value]
            for name, value in self.inputs.items()
        }

    @property
    def work(self) -> float:
        """Relative cost, in the unit that the trainable's stages share."""
        return self.function.work(**self._checked())

    @property
    def reports(self) -> Collection[str]:
        """Names of the numbers that it contributes to a run's result."""
        return self.function.reports(**self._checked())

    def parents(self) -> Iterator[Stage]:
        """Yield the input stages, in argument order."""
        for each in self.arguments:
            if type(each) is Stage:
                yield each
            elif type(each) is tuple:
                yield from each

    def _checked(self) -> dict[str, Any]:
        return {name: each.checked if isinstance(each, Value) else each for name, each in self._named()}

    def _named(self) -> Iterator[tuple[str, Argument]]:
        return zip(self.function.names, self.arguments, strict=True)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stage) and self.key == other.key


class StageFunction:
    """A function decorated with ``@stage``: calling it builds a node; ``body`` is the function itself."""

    def __init__(
        self,
        body: Callable[..., None],
        *,
        name: str | None,
        version: int,
        resources: Resources,
        work: Callable[..., float] | None,
        part: str | None,
        reports: Reports,
    ) -> None:
        self.body = body
        self.version = version
        self.resources = resources
        self.module = body.__module__
        self.location = f"{body.__module__}:{body.__qualname__}"
        """The location that a worker imports it from, see `at`. Not in the key."""
        self.name = _full_name(name, body)
        """Its identity in the key, such as ``lab.train``."""
        self.label = (name or body.__qualname__).rpartition(".")[2]
        """Its name without the namespace."""
        self.part = part or self.label
        self.reports: Callable[..., Collection[str]] = reports if callable(reports) else _always(reports)
        self.counts_work = work is not None
        """True if the work of its stages is computed from their arguments, and not 1 by default."""
        self.work = work or (lambda **_: 1.0)
        self.__doc__ = body.__doc__
        self._recent: dict[str, Stage] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Stage:
        """Build the node. Calls with the same arguments return the same node while it is cached.

        Raises TypeError for arguments that the function does not accept, ValidationError for values of a wrong type.
        """
        arguments: list[Argument] = []
        inputs, params = [], []
        for parameter, given in zip(self._sorted, self._sort(self._bound(args, kwargs)), strict=True):
            each = parameter.met(id(given)) or _as_input(given) or parameter.value(given)
            arguments.append(each)
            if isinstance(each, Value):
                params.append(each.text)
            elif isinstance(each, Stage):
                inputs.append(f'{parameter.quoted}:"{each.key}"')
            else:
                keys = '","'.join([stage.key for stage in each])
                inputs.append(f'{parameter.quoted}:["{keys}"]')
        return self._node(self._restore(arguments), self._key(inputs, params))

    def run(self, run: StageRun, params: Mapping[str, Any], inputs: Mapping[str, Path | tuple[Path, ...]]) -> None:
        """Run the body on parameters in JSON form and the directories of its inputs."""
        values = {name: self._parameters[name].check(value) for name, value in params.items()}
        self.body(run, **values, **inputs)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters and inputs."""
        return tuple(self._signature.parameters)

    @cached_property
    def _signature(self) -> inspect.Signature:
        signature = inspect.signature(self.body)
        _run, *rest = signature.parameters.values()
        return signature.replace(parameters=rest)

    @cached_property
    def _parameters(self) -> dict[str, Parameter]:
        hints = typing.get_type_hints(self.body, include_extras=True)
        return {name: Parameter(name, hints[name]) for name in self.names}

    def _bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Sequence[Any]:
        """Return the argument, or the default, of every name. Raises TypeError if the arguments do not fit."""
        if not kwargs and len(args) == len(self.names):
            return args
        if not args and kwargs.keys() == self._parameters.keys():
            return [kwargs[name] for name in self.names]
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return tuple(bound.arguments.values())

    def _node(self, arguments: tuple[Argument, ...], key: str) -> Stage:
        """Return the node, the same object for the same arguments while it is cached."""
        node = self._recent.get(key)
        if node is None or not _same(node.arguments, arguments):
            if len(self._recent) >= KEPT:
                self._recent.clear()
            node = self._recent[key] = Stage(self, arguments, key)
        return node

    def _key(self, inputs: Iterable[str], params: Iterable[str]) -> str:
        """Return the SHA-256 of the identity in canonical JSON, from sorted and encoded parts."""
        named, given = ",".join(inputs), ",".join(filter(None, params))
        identity = f'{{"inputs":{{{named}}},"params":{{{given}}},{self._stage_and_version}}}'
        return hashlib.sha256(identity.encode()).hexdigest()

    @cached_property
    def _stage_and_version(self) -> str:
        return canonical_json({"stage": self.name, "version": self.version})[1:-1]

    @cached_property
    def _sorted(self) -> tuple[Parameter, ...]:
        """Parameters sorted by name, as in canonical JSON."""
        return self._sort([self._parameters[name] for name in self.names])

    @cached_property
    def _sort(self) -> Reorder:
        return _reorder(sorted(range(len(self.names)), key=self.names.__getitem__))

    @cached_property
    def _restore(self) -> Reorder:
        """Restores the order of the signature."""
        return _reorder([sorted(self.names).index(name) for name in self.names])

    @classmethod
    def at(cls, location: str) -> StageFunction:
        """Import the stage function at ``module:qualname``."""
        module, _, label = location.partition(":")
        function = getattr(importlib.import_module(module), label)
        if not isinstance(function, cls):
            raise TypeError(f"{location} is not a stage")
        return function


def _full_name(name: str | None, body: Callable[..., None]) -> str:
    """Return the name with its namespace, by default the top-level package."""
    if name and "." in name:
        return name
    return f"{body.__module__.partition('.')[0]}.{name or body.__qualname__}"


def _always(names: Collection[str]) -> Callable[..., Collection[str]]:
    return lambda **_: names


def _as_input(given: Any) -> Stage | tuple[Stage, ...] | None:
    """Return an argument that is a stage, or a list or tuple of stages; None for a parameter."""
    if type(given) is Stage:
        return given
    return tuple(given) if isinstance(given, list | tuple) and {*map(type, given)} == {Stage} else None


def _same(one: Iterable[Argument], other: Iterable[Argument]) -> bool:
    """Check that arguments are the same objects: equal stages may differ in parameters that are not in the key."""
    return all(
        a is b or (isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b) and all(map(is_, a, b)))
        for a, b in zip(one, other, strict=True)
    )


def _reorder(order: Sequence[int]) -> Reorder:
    return itemgetter(*order) if len(order) > 1 else tuple


def stage(
    *,
    version: int,
    name: str | None = None,
    cpus: int = 1,
    gpus: float = 0.0,
    memory: int = 0,
    work: Callable[..., float] | None = None,
    part: str | None = None,
    reports: Reports = (),
) -> Callable[[Callable[..., None]], StageFunction]:
    """Declare a stage.

    Args:
        version: increase it whenever the meaning of the result changes.
        name: identity of the stage in the keys of its artifacts, unique within the trainable. Keep it when the function
            is renamed or moved: with another name all artifacts are made again. A name without a dot is put into the
            namespace of its top-level package, so ``"train"`` in ``lab/models/vit.py`` is ``lab.train``. By default
            the function's name.
        cpus: CPU threads that are reserved for it, and that it uses.
        gpus: share of a GPU that is reserved for it on a cluster with GPUs; with 0 it runs on the CPU.
        memory: bytes of main memory that are reserved for it; 0 reserves none.
        work: computes the relative cost from the stage's own arguments, for scheduling and estimates; 1 by default.
        part: the part of the experiment that its cost counts for, such as sampling; by default its own name.
        reports: names of the numbers that the stage contributes to a run's result, or a function that returns them from
            the stage's arguments. The objectives of a search are checked against them before it starts.
    """

    if name is not None and not NAME.fullmatch(name):
        raise ValueError(f"invalid stage name {name!r}: join identifiers by dots, such as 'train' or 'lab.train'")

    def decorate(body: Callable[..., None]) -> StageFunction:
        return StageFunction(
            body,
            name=name,
            version=version,
            resources=Resources(cpus, gpus, memory),
            work=work,
            part=part,
            reports=reports,
        )

    return decorate
