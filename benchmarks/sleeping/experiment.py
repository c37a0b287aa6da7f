"""The graph of a recorded sweep once more, with stages that sleep."""

from __future__ import annotations

import json
import time
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.sleeping.config import Config
from sweeper import Stage, StageRun, stage


@stage(version=1, part="sleep")
def sleep(run: StageRun, inputs: tuple[Path, ...], seconds: float, index: int) -> None:
    """Take that long. ``index`` tells stages with the same seconds apart."""
    time.sleep(seconds)
    (run.output / "metrics.json").write_text(json.dumps({"slept": seconds}))


def run(config: Config) -> Stage:
    """The last stage of a trial."""
    return _stages(config.recorded)[_recorded(config.recorded)["targets"][config.trial]]


@cache
def _recorded(path: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(path).read_text())
    return found


@cache
def _stages(path: str) -> list[Stage]:
    built: list[Stage] = []
    for index, each in enumerate(_recorded(path)["stages"]):
        built.append(sleep([built[place] for place in each["inputs"]], each["seconds"], index))
    return built
