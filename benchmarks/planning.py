"""Time and memory to expand, hash and plan 10,000 trials on this machine, each measured in a process of its own.

    python -m benchmarks.planning                     both trainables
    python -m benchmarks.planning --trainable tests.tiny

Prints a Markdown table: seconds to import what planning needs, to expand the YAML file into checked configs, and to
build, hash and order all stages and find that none is in an empty store; and the largest memory of the process.
"""

from __future__ import annotations

import argparse
import importlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

SPACES = {
    "tests.tiny": """
name: planning
trainable: tests.tiny
preset: small
seeds: 0-9
axes:
  trunk.steps: [{steps}]
  branch.size: [0, 1, 2, 3, 4, 5, 6, 7, 8, 10]
""",
    "funlora": """
name: planning
trainable: funlora
preset: digits
seeds: 0-9
axes:
  adapter.lr: [{rates}]
  adapter.layers: [0-64, 5-54, 15-44, 15-54, 25-44, 25-54, 35-54, 40-54, 45-54, 40-49]
""",
}
"""100 values of one name, 10 of another and 10 seeds; of funlora, a trial shares the base and its samples alone."""


def measure(trainable: str) -> dict[str, float]:
    """Counts, seconds and MB by name, of this very process."""
    times = [time.perf_counter()]
    from sweeper.planning.graph import Graph
    from sweeper.space.sweep import load_sweep
    from sweeper.store.local.directory import Directory
    from sweeper.trainable.trainable import find_trainable

    importlib.import_module(find_trainable(trainable).module)
    times.append(time.perf_counter())
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "planning.yaml"
        steps, rates = ", ".join(map(str, range(1, 101))), ", ".join(f"{1e-3 * each:.3f}" for each in range(1, 101))
        file.write_text(SPACES[trainable].format(steps=steps, rates=rates))
        sweep = load_sweep(file)
        times.append(time.perf_counter())
        graph = Graph.of(sweep)
        (plan,) = graph.plans
        calls = sum(len(stages) for stages in plan.per_trial)
        missing = graph.missing(Directory(Path(directory) / "store"))
        times.append(time.perf_counter())
    assert len(missing) == len(graph.stages)  # noqa: S101
    importing, expanding, planning = (end - start for start, end in pairwise(times))
    return {
        "trials": len(plan.targets),
        "stages of all trials": calls,
        "unique stages": len(missing),
        "import, s": importing,
        "expand, s": expanding,
        "hash and plan, s": planning,
        "sum, s": times[-1] - times[0],
        "peak memory, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
    }


def main() -> None:
    """Measure every trainable asked for in a fresh process, and print all as a table."""
    parser = argparse.ArgumentParser(description="Time and memory to plan 10,000 trials.")
    parser.add_argument("--trainable", choices=list(SPACES), action="append", help="default: all")
    parser.add_argument("--here", choices=list(SPACES), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        print(json.dumps(measure(arguments.here)))
        return
    rows = {each: _in_process(each) for each in arguments.trainable or SPACES}
    names = list(next(iter(rows.values())))
    print("\n".join(["| trainable | " + " | ".join(names) + " |", "| --- |" + " ---: |" * len(names)]))
    for trainable, row in rows.items():
        print(f"| {trainable} | " + " | ".join(_shown(value) for value in row.values()) + " |")


def _in_process(trainable: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.planning", "--here", trainable]
    measured: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)  # noqa: S603
    return measured


def _shown(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.2f}" if value < 100 else f"{value:.0f}"


if __name__ == "__main__":
    main()
