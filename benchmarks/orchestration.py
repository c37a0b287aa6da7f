"""What orchestration costs and what sharing saves, each beside its rivals in the same run on the same machine.

    python -m benchmarks.orchestration overhead
    python -m benchmarks.orchestration paper

``overhead`` runs toy stages that take no time: what is left is the engine's. ``paper`` runs the trials of
search_spaces/paper.yaml as one graph, and then one run per trial, which shares nothing. Both print Markdown tables.
"""

from __future__ import annotations

import json
import math
import os
import platform
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from statistics import mean
from typing import Any

import click

from sweeper.engine.dispatch import Dispatch, Machine
from sweeper.engine.executors.inline import InlineExecutor
from sweeper.engine.executors.ray.cluster import cluster  # first: it sets what Ray reads when it is imported
from sweeper.engine.executors.ray.nodes import machine
from sweeper.engine.executors.ray.tune import run_on_ray, tune
from sweeper.engine.observers import BackgroundObserver, Observer
from sweeper.planning.graph import Graph, Plan
from sweeper.planning.makespan import Task, critical_path, makespan, slot_seconds
from sweeper.space.sweep import Sweep, load_sweep
from sweeper.store.base import Store
from sweeper.store.local.directory import Directory
from sweeper.trainable.stage import Stage

WARM = 0.1
"""Share of the stages that have ended when the clock of ``overhead`` starts."""
TENTH = (
    "base.iterations=60",
    "base.warmup=10",
    "base.ema_from=18",
    "adapter.iterations=6",
    "adapter.ema_from=2",
    "samples.chunk=10",
    "classifier.epochs=1",
)
"""A tenth of whatever the digits preset counts in steps, images or epochs."""
TOY = """\
name: toy
trainable: tests.tiny
preset: small
seeds: {seeds}
axes: {{branch.size: [1]}}
table: {{rows: branch.size, columns: [score]}}
"""
TOY_STAGES = 5
"""Of a trial of the toy."""


class Ends(Observer):
    """Keeps how many stages were handed out, and when they ended."""

    def __init__(self) -> None:
        self.started_stages = 0
        self.times: list[float] = []

    def started(self, node: Stage) -> None:
        self.started_stages += 1

    def ended(self, node: Stage, failure: str | None) -> None:
        self.times.append(time.perf_counter())


class TrialEnds(tune.Callback):  # type: ignore[misc]
    """Keeps when Tune's trials ended."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self.times.append(time.perf_counter())


class Nothing(tune.Trainable):  # type: ignore[misc]
    """A trial that does nothing."""

    def step(self) -> dict[str, Any]:
        return {"done": True}

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        return True


class OneRun(tune.Trainable):  # type: ignore[misc]
    """A trial that runs all its stages itself, one after the other, into a store of its own."""

    def setup(self, config: dict[str, Any]) -> None:
        self._config = config

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._config = new_config
        return True

    def step(self) -> dict[str, Any]:
        """Seconds of every stage by key, in JSON: Tune flattens nested results."""
        sweep = _sweep(self._config["file"], tuple(self._config["sets"]), self._config["seeds"])
        space, index = [(space, index) for space in sweep.spaces for index in range(len(space.trials))][
            self._config["trial"]
        ]
        target = space.trainable.run(space.trials[index].config)
        with tempfile.TemporaryDirectory() as directory:
            store = _store(Path(directory))
            plan = Plan(space, [space.trials[index]], [target])
            InlineExecutor().run(_dispatch(Graph(sweep.name, (plan,)), store, InlineExecutor().machine, []))
            return {"done": True, "seconds": json.dumps(_seconds(store))}


@click.group()
def main() -> None:
    """What orchestration costs, and what sharing saves."""


@main.command()
@click.option("--stages", type=click.IntRange(50), default=500, show_default=True, help="Toy stages of every rival.")
@click.option("--cold", type=click.IntRange(10), default=40, show_default=True, help="Trials of a process each.")
def overhead(stages: int, cold: int) -> None:
    """Wall milliseconds per stage that does nothing: from the end of the first tenth of them to the end of the run."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as directory, cluster(None):
        work, there = Path(directory), machine()
        slots = there.capacity().cpus
        on_ray, here = partial(run_on_ray, slots=slots), InlineExecutor()
        rows = [
            ("sweeper", stages, toy(work / "ray", stages, on_ray, there)),
            ("Ray Tune, a trial per stage, processes reused", stages, _plain_tune(work / "warm", stages, reuse=True)),
            ("Ray Tune, a trial per stage, a process each", cold, _plain_tune(work / "cold", cold, reuse=False)),
            ("sweeper, with MLflow", stages, toy(work / "tracked", stages, on_ray, there, tracking=True)),
            ("sweeper, without Ray", stages, toy(work / "inline", stages, here.run, here.machine)),
        ]
    click.echo(f"| {conditions(slots, load)} | stages | wall ms per stage |\n| --- | ---: | ---: |")
    for name, count, seconds in rows:
        click.echo(f"| {name} | {count} | {1000 * seconds:.1f} |")


@main.command()
@click.argument("file", type=click.Path(exists=True, path_type=Path), default=Path("search_spaces/paper.yaml"))
@click.option("--set", "sets", multiple=True, default=TENTH, show_default=True, help="As of `sweeper run`.")
@click.option("--seeds", default="0", show_default=True, help="As of `sweeper run`.")
def paper(file: Path, sets: tuple[str, ...], seeds: str) -> None:
    """All trials of FILE as one graph, and then one run per trial. Tracking is off; Ray's start does not count."""
    graph = Graph.of(_sweep(str(file.absolute()), sets, seeds))
    load, ends = os.getloadavg()[0], Ends()
    with tempfile.TemporaryDirectory() as directory, cluster(None):
        there = machine()
        slots, store = there.capacity().cpus, _store(Path(directory))
        dispatch = _dispatch(graph, store, there, [ends])
        wall = _timed(partial(run_on_ray, dispatch, slots))
        manifests = store.manifests(graph.stages)
        alone: list[Mapping[str, float]] = []
        config = {"file": str(file.absolute()), "sets": list(sets), "seeds": seeds}
        wall_alone = _timed(lambda: alone.extend(_one_run_per_trial(config, len(list(graph.targets)))))
    seconds = {key: manifest["seconds"] for key, manifest in manifests.items()}
    click.echo(f"| {conditions(slots, load)} | one run per trial | sweeper | ratio |\n| --- | ---: | ---: | ---: |")
    failed = sum(target.key not in made for target, made in zip(graph.targets, alone, strict=True))
    click.echo(f"| failed trials | {failed} | {sum(target.key not in seconds for target in graph.targets)} | |")
    _print_row("stages run", sum(map(len, alone)), ends.started_stages)
    _print_row("seconds of stages", math.fsum(math.fsum(made.values()) for made in alone), math.fsum(seconds.values()))
    _print_row("wall seconds", wall_alone, wall)
    click.echo("\n| | bound | sweeper | above it |\n| --- | ---: | ---: | ---: |")
    tasks = _tasks(graph, seconds)
    bound = max(critical_path(tasks), slot_seconds(tasks) / slots)
    _print_bound("stages run, beside unique stages", len(graph.stages), ends.started_stages)
    _print_bound(
        "seconds of stages, beside those of the unique ones in the runs per trial",
        _unique(alone),
        math.fsum(seconds.values()),
    )
    _print_bound(
        "first stage's start to last stage's end, beside max(critical path, work / slots)",
        bound,
        span(manifests.values()),
    )
    _print_bound("the same with the start and end of processes", bound, wall)
    _print_bound("the makespan that is planned with these seconds", bound, makespan(tasks, slots))


def toy(
    work: Path,
    stages: int,
    run: Callable[[Dispatch], None],
    there: Machine,
    *,
    store: Store | None = None,
    tracking: bool = False,
) -> float:
    """Seconds per stage that does nothing.

    Args:
        work: directory for what it needs; made.
        stages: how many.
        run: takes them through.
        there: what there is to run them on.
        store: where artifacts go; one in ``work`` by default.
        tracking: whether MLflow is told.
    """
    work.mkdir()
    (work / "toy.yaml").write_text(TOY.format(seeds=list(range(stages // TOY_STAGES))))
    graph, store, ends = Graph.of(load_sweep(work / "toy.yaml")), store or _store(work), Ends()
    observers: list[Observer] = [ends]
    with ExitStack() as stack:
        if tracking:
            from sweeper.tracking.tracker import MlflowTracker

            tracker = MlflowTracker(graph.plans[0], store, work, None)
            observers.append(stack.enter_context(BackgroundObserver([tracker])))
        dispatch = _dispatch(graph, store, there, observers)
        run(dispatch)
    for cause in dispatch.schedule.failed.values():
        raise click.ClickException(cause)
    return _per_stage(ends.times)


def _plain_tune(work: Path, trials: int, *, reuse: bool) -> float:
    """Seconds per trial."""
    ends = TrialEnds()
    _tune(Nothing, work, tune.TuneConfig(num_samples=trials, reuse_actors=reuse), {}, [ends])
    return _per_stage(ends.times)


def _tune(
    trainable: type, work: Path, config: tune.TuneConfig, space: Mapping[str, Any], callbacks: Sequence[tune.Callback]
) -> tune.ResultGrid:
    """Every trial on one CPU, without checkpoints."""
    checkpoints = tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False)
    run = tune.RunConfig(storage_path=str(work), verbose=0, callbacks=[*callbacks], checkpoint_config=checkpoints)
    done = tune.Tuner(
        tune.with_resources(trainable, {"cpu": 1}), param_space=dict(space), tune_config=config, run_config=run
    ).fit()
    for error in done.errors:
        raise error
    return done


def _per_stage(ends: Sequence[float]) -> float:
    warm = int(WARM * len(ends))
    return (time.perf_counter() - ends[warm]) / (len(ends) - warm - 1)


def _one_run_per_trial(config: Mapping[str, Any], trials: int) -> list[Mapping[str, float]]:
    """Seconds of every trial's stages by key: a Tune trial per run, one CPU each, processes reused."""
    space = {**config, "trial": tune.grid_search(list(range(trials)))}
    with tempfile.TemporaryDirectory() as directory:
        done = _tune(OneRun, Path(directory), tune.TuneConfig(reuse_actors=True), space, [])
    results = {result.config["trial"]: json.loads(result.metrics["seconds"]) for result in done}
    return [results[index] for index in range(trials)]


@cache
def _sweep(file: str, sets: tuple[str, ...], seeds: str) -> Sweep:
    return load_sweep(Path(file), sets=sets, seeds=seeds)


def _store(work: Path) -> Directory:
    store = Directory(work / "store")
    store.prepare()
    return store


def _dispatch(graph: Graph, store: Store, there: Machine, observers: Sequence[Observer]) -> Dispatch:
    return Dispatch(graph, store, machine=there, save_seconds=3600, observers=observers)


def _seconds(store: Directory) -> dict[str, float]:
    return {key: manifest["seconds"] for key, manifest in store.manifests(store.all_keys()).items()}


def _tasks(graph: Graph, seconds: Mapping[str, float]) -> dict[str, Task]:
    return {
        key: Task(seconds[key], graph.resources(node).cpus, {parent.key for parent in node.parents()})
        for key, node in graph.stages.items()
        if key in seconds
    }


def _unique(runs: Sequence[Mapping[str, float]]) -> float:
    """Seconds of every stage once, at the mean of what it took."""
    found: dict[str, list[float]] = defaultdict(list)
    for made in runs:
        for key, each in made.items():
            found[key].append(each)
    return math.fsum(map(mean, found.values()))


def span(manifests: Iterable[Mapping[str, Any]]) -> float:
    """Seconds from the start of the first stage to the end of the last."""
    begins = [(datetime.fromisoformat(manifest["started"]).timestamp(), manifest["seconds"]) for manifest in manifests]
    return max(began + seconds for began, seconds in begins) - min(began for began, _ in begins)


def _timed(action: Callable[[], None]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def conditions(slots: int, load: float) -> str:
    return f"{slots} at a time, {platform.machine()}, load {load:.1f} before and {os.getloadavg()[0]:.1f} after"


def _print_row(what: str, rival: float, ours: float) -> None:
    click.echo(f"| {what} | {rival:,.0f} | {ours:,.0f} | {rival / ours:.2f} |")


def _print_bound(what: str, bound: float, ours: float) -> None:
    click.echo(f"| {what} | {bound:,.1f} | {ours:,.1f} | {ours / bound - 1:+.1%} |")


if __name__ == "__main__":
    from benchmarks.orchestration import main as importable  # Ray's workers find its classes by this module's name

    importable()
