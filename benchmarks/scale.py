"""How sweeps scale: ``python -m benchmarks.scale nodes`` and ``python -m benchmarks.scale scheduler``.

``nodes`` repeats a sweep that has been run here, with stages that sleep for as long as the real ones took, on clusters
of 1, 2, 4 and 8 nodes with 4 slots each: Ray's own processes on this machine, a raylet per node. ``scheduler`` takes a
sweep of as many stages as asked for through the scheduler alone, on simulated GPUs.
"""

from __future__ import annotations

import heapq
import json
import os
import random
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from benchmarks.orchestration import span
from sweeper.engine.dispatch import Dispatch
from sweeper.engine.executors.ray.cluster import ray  # first: it sets what Ray reads when it is imported
from sweeper.engine.executors.ray.nodes import machine
from sweeper.engine.executors.ray.tune import run_on_ray
from sweeper.engine.schedule import Schedule
from sweeper.planning.graph import Graph
from sweeper.planning.makespan import Task, critical_path, makespan, slot_seconds
from sweeper.space.sweep import load_sweep
from sweeper.store.local.directory import Directory
from sweeper.trainable.resources import Resources

SWEPT = Path("search_spaces/layer_selection.yaml")
SLOTS = 4
"""Of a node."""
SPACE = """\
name: sleeping
trainable: benchmarks.sleeping
preset: first
fixed: {{recorded: "{recorded}"}}
axes: {{trial: {trials}}}
table: {{rows: trial, columns: [slept]}}
"""


@click.group()
def main() -> None:
    """How sweeps scale."""


@main.command()
@click.argument("file", type=click.Path(exists=True, path_type=Path), default=SWEPT)
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True)
@click.option("--seeds", default=None, help="As of `sweeper run`: the seeds that were run.")
@click.option("--count", "counts", multiple=True, type=int, default=(1, 2, 4, 8), show_default=True)
@click.option("--slower", default=4.0, show_default=True, help="Stages sleep so many times as long as they took.")
def nodes(file: Path, runs: Path, seeds: str | None, counts: tuple[int, ...], slower: float) -> None:
    """Makespan of a sweep's measured stages on simulated nodes, from the first stage's start to the last one's end."""
    graph = Graph.of(load_sweep(file, seeds=seeds))
    manifests = Directory(runs / "store").manifests(graph.stages)
    measured = {key: slower * each["seconds"] for key, each in manifests.items()}
    if measured.keys() != graph.stages.keys():
        raise click.ClickException(f"{len(graph.stages) - len(measured)} of its stages are not in {runs}: run it first")
    tasks = {
        key: Task(measured[key], 1, {parent.key for parent in node.parents()}) for key, node in graph.stages.items()
    }
    click.echo(
        f"{len(tasks):,} stages, {slot_seconds(tasks):,.0f} s of work, critical path {critical_path(tasks):.1f} s, "
        f"load {os.getloadavg()[0]:.1f}\n"
    )
    click.echo("| nodes × slots | bound s | planned s | measured s | efficiency | of the bound |")
    click.echo("| --- | ---: | ---: | ---: | ---: | ---: |")
    for count in counts:
        slots = SLOTS * count
        took = _measure(graph, measured, count)
        bound, work = max(critical_path(tasks), slot_seconds(tasks) / slots), slot_seconds(tasks)
        click.echo(
            f"| {count} × {SLOTS} | {bound:.1f} | {makespan(tasks, slots):.1f} | {took:.1f} "
            f"| {work / slots / took:.0%} | {bound / took:.0%} |"
        )


def _measure(graph: Graph, seconds: Mapping[str, float], count: int) -> float:
    with tempfile.TemporaryDirectory() as directory, _cluster(count):
        work = Path(directory)
        sleeping = Graph.of(load_sweep(_write(work, graph, seconds)))
        store = Directory(work / "store")
        store.prepare()
        dispatch = Dispatch(sleeping, store, machine=machine(), save_seconds=3600, observers=[])
        run_on_ray(dispatch, SLOTS * count)
        for cause in dispatch.schedule.failed.values():
            raise click.ClickException(cause)
        return span(store.manifests(sleeping.stages).values())


def _write(work: Path, graph: Graph, seconds: Mapping[str, float]) -> Path:
    """The sweep as a space of sleeping trials."""
    place = {key: index for index, key in enumerate(graph.stages)}
    stages = [
        {"seconds": seconds[key], "inputs": [place[parent.key] for parent in node.parents()]}
        for key, node in graph.stages.items()
    ]
    targets = list(dict.fromkeys(place[target.key] for target in graph.targets))
    (work / "recorded.json").write_text(json.dumps({"stages": stages, "targets": targets}))
    path = work / "sleeping.yaml"
    path.write_text(SPACE.format(recorded=work / "recorded.json", trials=list(range(len(targets)))))
    return path


@contextmanager
def _cluster(count: int) -> Iterator[None]:
    from ray.cluster_utils import Cluster

    here = {"include_dashboard": False, "object_store_memory": 100 * 2**20}
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": SLOTS, **here})
    try:
        for _ in range(count - 1):
            nodes.add_node(num_cpus=SLOTS, object_store_memory=100 * 2**20)
        ray.init(address=nodes.address, log_to_driver=False, logging_level="critical")
        nodes.wait_for_nodes()
        yield
    finally:
        ray.shutdown()
        nodes.shutdown()


@main.command()
@click.option("--gpus", default=1000, show_default=True)
@click.option("--stages", "count", default=100_000, show_default=True)
def scheduler(gpus: int, count: int) -> None:
    """A sweep of FunLoRA on simulated GPUs: no process, no store, no clock but its own."""
    graph = _graph_of(count)
    asked = {key: graph.resources(node) for key, node in graph.stages.items()}
    draws = random.Random(0)  # noqa: S311
    seconds = {key: draws.lognormvariate(0, 0.3) * max(node.work, 1.0) for key, node in graph.stages.items()}
    began = time.perf_counter()
    schedule = Schedule(graph.stages, graph.resources)
    built = time.perf_counter() - began
    wall, decisions = _simulate(schedule, asked, seconds, Resources(16 * gpus, float(gpus), 0))
    each = [1e6 * took for took in decisions]
    each.sort()
    click.echo(f"{len(graph.stages):,} stages on {gpus:,} GPUs, load {os.getloadavg()[0]:.1f}")
    click.echo(
        f"built in {built:.2f} s; {len(each):,} decisions in {wall:.2f} s: mean {sum(each) / len(each):.0f} us, "
        f"median {each[len(each) // 2]:.0f} us, 99 % {each[int(0.99 * len(each))]:.0f} us, "
        f"most {each[-1] / 1000:.1f} ms"
    )


def _graph_of(count: int) -> Graph:
    """Layer selection with as many seeds as make so many stages."""
    per_seed = len(Graph.of(load_sweep(SWEPT, seeds="0")).stages)
    return Graph.of(load_sweep(SWEPT, seeds=f"0-{count // per_seed}"))


def _simulate(
    schedule: Schedule, asked: Mapping[str, Resources], seconds: Mapping[str, float], there: Resources
) -> tuple[float, Sequence[float]]:
    """Seconds of all decisions together and of each: the next stage, with what its end made ready."""
    free, running, decisions, now = there, [], [], 0.0
    while not schedule.finished:
        began = time.perf_counter()
        node = schedule.take(lambda request: request.fits(free))  # noqa: B023
        if node:
            free = free.without(asked[node.key])
            heapq.heappush(running, (now + seconds[node.key], node.key))
        else:
            now, key = heapq.heappop(running)
            free = free.plus(asked[key])
            schedule.complete(key)
        decisions.append(time.perf_counter() - began)
    return sum(decisions), decisions


if __name__ == "__main__":
    main()
