"""A training loop that can be stopped at any step and ends with the same bytes: parameters, EMA, optimiser,
schedule and random state are saved together, as safetensors and JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from sweeper import Diverged, StageRun

LOGGED_POINTS = 50
"""Points of a learning curve: a function of the number of steps alone, so that curves do not depend on speed."""


class Ema:
    """Exponential moving average of tensors, started late: before ``start`` the average is the value itself.

    average <- decay * average + (1 - decay) * value
    """

    def __init__(self, values: Mapping[str, Tensor], decay: float, start: int) -> None:
        self.decay = decay
        self.start = start
        self.average = {name: value.detach().clone() for name, value in values.items()}

    @torch.no_grad()
    def update(self, values: Mapping[str, Tensor], step: int) -> None:
        """Take in the values after ``step`` (from 0)."""
        ours, theirs = list(self.average.values()), [values[name].detach() for name in self.average]
        weight = 1.0 if step < self.start else 1 - self.decay
        torch._foreach_lerp_(ours, theirs, weight)


def train(
    run: StageRun,
    steps: int,
    loss: Callable[[], Tensor],
    values: Mapping[str, Tensor],
    optimizer: Optimizer,
    schedule: LRScheduler,
    ema: Ema | None = None,
) -> None:
    """Minimise ``loss`` for ``steps`` steps, resuming from the run's saved progress if there is any.

    Args:
        run: where progress is saved and reported.
        steps: number of optimiser steps.
        loss: draws a batch from torch's default generator and returns a scalar.
        values: every tensor that training changes, by name, buffers included; they are updated in place.
        optimizer: over the parameters among ``values``.
        schedule: stepped after every optimiser step.
        ema: averaged over ``values`` after every step.

    Raises:
        Diverged: the loss is NaN or infinite. On a GPU it is looked at where it is logged or saved, as a look waits for
            the device.
    """
    state = _State(values, optimizer, schedule, ema)
    first = state.load(run.saved) if run.saved else 0
    every = max(1, steps // LOGGED_POINTS)
    for step in range(first, steps):
        value = loss()
        optimizer.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        if ema:
            ema.update(values, step)
        logged = (step + 1) % every == 0 or step + 1 == steps
        saved = run.due() and step + 1 < steps
        looked = logged or saved or value.device.type == "cpu"
        if looked and not math.isfinite(number := value.item()):
            raise Diverged(f"the loss is {number} at step {step + 1} of {steps}")
        if logged:
            run.log(step + 1, steps, loss=number)
        if saved:
            run.save(lambda directory, done=step + 1: state.save(directory, done))  # type: ignore[misc]


class _State:
    def __init__(
        self, values: Mapping[str, Tensor], optimizer: Optimizer, schedule: LRScheduler, ema: Ema | None
    ) -> None:
        self.values, self.optimizer, self.schedule, self.ema = values, optimizer, schedule, ema

    def save(self, directory: Path, step: int) -> None:
        optimizer = self.optimizer.state_dict()
        tensors = {"random.cpu": torch.get_rng_state()}
        if torch.cuda.is_available():
            tensors["random.cuda"] = torch.cuda.get_rng_state()
        tensors |= {f"value.{name}": value.detach() for name, value in self.values.items()}
        if self.ema:
            tensors |= {f"ema.{name}": value for name, value in self.ema.average.items()}
        for index, slots in optimizer["state"].items():
            tensors |= {f"optimizer.{index}.{slot}": value for slot, value in slots.items() if value is not None}
        save_file({name: value.contiguous() for name, value in tensors.items()}, directory / "state.safetensors")
        plain = {"step": step, "groups": optimizer["param_groups"], "schedule": self.schedule.state_dict()}
        (directory / "state.json").write_text(json.dumps(plain, default=_plain))

    @torch.no_grad()
    def load(self, directory: Path) -> int:
        tensors = load_file(directory / "state.safetensors")
        plain = json.loads((directory / "state.json").read_text())
        for name, value in self.values.items():
            value.copy_(tensors[f"value.{name}"])
        if self.ema:
            for name, value in self.ema.average.items():
                value.copy_(tensors[f"ema.{name}"])
        slots: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            if name.startswith("optimizer."):
                _, index, slot = name.split(".")
                slots.setdefault(int(index), {})[slot] = tensor
        self.optimizer.load_state_dict({"state": slots, "param_groups": plain["groups"]})
        self.schedule.load_state_dict(plain["schedule"])
        torch.set_rng_state(tensors["random.cpu"])
        if "random.cuda" in tensors and torch.cuda.is_available():
            torch.cuda.set_rng_state(tensors["random.cuda"])
        return int(plain["step"])


def _plain(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be saved")
