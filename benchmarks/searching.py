"""What searching finds and what it costs, each beside its rivals in the same run on the same machine.

    python -m benchmarks.searching surrogate
    python -m benchmarks.searching rivals

``surrogate`` lets samplers search a space of which every point is known beforehand, and counts how many suggestions
they take to most of its hypervolume. ``rivals`` searches the same space in earnest, and once more with Ray Tune's own
OptunaSearch and ASHA, one run per trial, which shares nothing. Both print Markdown tables.
"""

from __future__ import annotations

import math
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import click
import pyarrow.parquet as pq
from rich.console import Console

from analysis.contract import SUGGESTIONS
from benchmarks.orchestration import conditions
from benchmarks.surrogate import Surrogate
from sweeper.engine.dispatch import Dispatch
from sweeper.engine.executors.inline import InlineExecutor
from sweeper.engine.executors.ray.cluster import cluster  # first: it sets what Ray reads when it is imported
from sweeper.engine.executors.ray.nodes import machine
from sweeper.engine.executors.ray.tune import tune
from sweeper.engine.options import Options
from sweeper.engine.run import run_sweep
from sweeper.engine.search.pruners import REDUCTION
from sweeper.engine.search.samplers import make_sampler
from sweeper.engine.search.study import Study
from sweeper.planning.graph import Graph, Plan, collect
from sweeper.records.layout import RunsDirectory
from sweeper.records.writer import read_metrics
from sweeper.space.search import SearchSpace
from sweeper.space.search_schema import Distribution, Sampler
from sweeper.space.space import Space, Trial
from sweeper.space.sweep import Sweep, load_sweep
from sweeper.store.local.directory import Directory

SPACE = """\
name: searching
trainable: funlora
preset: digits
seeds: [0]
fixed:
  base.iterations: 300
  base.ema_from: 90
  adapter.iterations: 30
  adapter.ema_from: 10
  solver.grid_points: 3
  samples.chunk: 40
  samples.batch: 40
  classifier.epochs: 8
cases:
  none: {{adapter.functions: none, adapter.lr: 0.1}}
  rshift: {{adapter.functions: rshift, adapter.lr: 0.3}}
  power_learned: {{adapter.functions: power_learned, adapter.lr: 0.01}}
  cosine_learned: {{adapter.functions: cosine_learned, adapter.lr: 0.03}}
search:
  distributions:
    case: {{choice: [none, rshift, power_learned, cosine_learned]}}
    adapter.p: {{int: [2, 16], when: "case != 'none'"}}
    adapter.layers: {{choice: ["0-64", "15-54", "25-54", "40-54", "45-54", "45-49"]}}
    adapter.ratio: {{choice: [1, 2, 4, 8]}}
  sampler: tpe
  seed: {seed}
  pruner: successive_halving
  objectives: {{aia: maximise}}
  trials: {trials}
"""
"""Half of the digits preset's steps and fewer images, so that a run takes half a minute."""
SAMPLERS: tuple[Sampler, ...] = ("tpe", "nsga2", "random")
MEASURED_SHARE = 0.95
"""Share of the hypervolume that is looked for."""


@dataclass(frozen=True)
class Found:
    """How a sampler fared in a space of which every point is known."""

    enough_after: float
    """Trials until it had found MEASURED_SHARE; infinite where a third of the full grid's did not suffice."""
    share: float
    """Of the hypervolume, after a third of the full grid's trials."""


@dataclass(frozen=True)
class Spent:
    """What a search in earnest took, and what it found."""

    wall: float
    """Seconds, with Ray's start and end."""
    seconds: float
    """Of all stages that ran."""
    stages: int
    finished: int
    """Suggestions that were run to their end."""
    best: float
    """AIA of these, in percent."""


@click.group()
def main() -> None:
    """What searching finds, and what it costs."""


@main.command()
@click.option("--seeds", type=click.IntRange(2), default=20, show_default=True, help="Searches of every sampler.")
def surrogate(seeds: int) -> None:
    """Trials until 95 % of the hypervolume of AIA and PPC is found."""
    with tempfile.TemporaryDirectory() as directory:
        space = Surrogate.of(_searched(_sweep(Path(directory), trials=1, seed=0)))
    third = len(space.known) // 3
    click.echo(
        f"| {len(space.known):,} points, {seeds} seeds | trials to {MEASURED_SHARE:.0%}, median | quartiles "
        f"| seeds within {third} | share after {third} |\n| --- | ---: | ---: | ---: | ---: |"
    )
    for name in SAMPLERS:
        found = [_search(space, name, seed, third) for seed in range(seeds)]
        count = sorted(each.enough_after for each in found)
        low, middle, high = (_told(count[len(count) * part // 4], third) for part in (1, 2, 3))
        within, share = sum(each.enough_after <= third for each in found), fmean(each.share for each in found)
        click.echo(f"| {name} | {middle} | {low} to {high} | {within} | {share:.1%} |")


def _told(count: float, most: int) -> str:
    return f"more than {most}" if math.isinf(count) else f"{count:,.0f}"


@main.command()
@click.option("--trials", type=click.IntRange(1), default=16, show_default=True, help="Suggestions of each.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the samplers.")
def rivals(trials: int, seed: int) -> None:
    """A search by TPE with successive halving, and OptunaSearch with ASHA, one run per trial. Tracking is off."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        sweep = _sweep(work, trials=trials, seed=seed)
        ours, unshared = _sweeper(work / "ours", sweep)
        theirs, slots = _ray_tune(work / "theirs", sweep, trials, seed)
    click.echo(f"| {conditions(slots, load)} | Ray Tune, a run per trial | sweeper | ratio |")
    click.echo("| --- | ---: | ---: | ---: |")
    for what, rival, own in (
        ("stages run", theirs.stages, ours.stages),
        ("seconds of stages", theirs.seconds, ours.seconds),
        ("wall seconds", theirs.wall, ours.wall),
    ):
        click.echo(f"| {what} | {rival:,.0f} | {own:,.0f} | {rival / own:.2f} |")
    click.echo(f"| run to the end, of {trials} | {theirs.finished} | {ours.finished} | |")
    click.echo(f"| best AIA % | {theirs.best:.2f} | {ours.best:.2f} | |")
    click.echo(f"\nSeconds of sweeper's stages, had its suggestions shared nothing: {unshared:,.0f}")


def _search(space: Surrogate, name: Sampler, seed: int, third: int) -> Found:
    """One suggestion after the other."""
    two = {"objectives": {"aia": "maximise", "ppc": "minimise"}, "pruner": None}
    asked = space.searched.asked.model_copy(update={**two, "sampler": name, "seed": seed, "trials": third})
    searched, (point,) = replace(space.searched, asked=asked), space.searched.points
    study, seen, shares = Study(searched, point, "surrogate", None), set[tuple[float, float]](), [0.0]
    while len(shares) <= third:
        suggestion = study.ask()
        values = space.objectives(suggestion.params)
        study.finish(suggestion.number, values, 1)
        shares.append(shares[-1] if values in seen else space.share([*seen, values]))
        seen.add(values)
    enough = next((count for count, share in enumerate(shares) if share >= MEASURED_SHARE), math.inf)
    return Found(enough, shares[third])


def _draw(trial: Any, name: str, given: Distribution) -> Any:
    """A value of one of the two kinds that the space has."""
    return trial.suggest_int(name, *given.whole) if given.whole else trial.suggest_categorical(name, given.choice)


def _sweeper(work: Path, sweep: Sweep) -> tuple[Spent, float]:
    """The search, and the seconds that its stages would take if every suggestion ran all of its own."""
    began = time.perf_counter()
    finished = run_sweep(sweep, Options(work, RunsDirectory(work).place, tracker=None), Console(quiet=True))
    wall = time.perf_counter() - began
    (results,), (space,) = finished.results, sweep.spaces
    rows = pq.read_table(results.parent / SUGGESTIONS).to_pylist()
    store = Directory(Path(RunsDirectory(work).place.address))
    seconds = _seconds(store)
    ended = [row["value.aia"] for row in rows if row["state"] == "finished"]
    spent = Spent(wall, math.fsum(seconds.values()), len(seconds), len(ended), max(ended))
    return spent, math.fsum(_alone(space, row, seconds) for row in rows)


def _alone(space: Space, row: Mapping[str, Any], seconds: Mapping[str, float]) -> float:
    """Seconds of all stages of a suggestion that were done."""
    params = {name: row[f"param.{name}"] for name in space.design if row[f"param.{name}"] is not None}
    found: dict[str, Any] = {}
    for step in space.trainable.steps_of(_trial(space, params).config):
        collect(step, found)
    return math.fsum(seconds.get(key, 0.0) for key in found)


def _ray_tune(work: Path, sweep: Sweep, trials: int, seed: int) -> tuple[Spent, int]:
    """Plain Ray Tune, and how many trials it ran at a time."""
    from ray.tune.schedulers import ASHAScheduler
    from ray.tune.search.optuna import OptunaSearch

    searched = _searched(sweep)
    tasks = len(searched.start.trainable.steps_of(searched.anchor(searched.points[0])[0].config))
    suggest = partial(_suggest, {"file": str(sweep.asked.file), "stores": str(work / "stores")})
    search = OptunaSearch(suggest, metric="aia", mode="max", sampler=make_sampler("tpe", seed, trials, 0))
    halving = ASHAScheduler(
        time_attr="task", metric="aia", mode="max", max_t=tasks, grace_period=1, reduction_factor=REDUCTION
    )
    began = time.perf_counter()
    with cluster(None):
        slots = machine().capacity().cpus
        done = tune.Tuner(
            tune.with_resources(one_run, {"cpu": 1}),
            tune_config=tune.TuneConfig(search_alg=search, scheduler=halving, num_samples=trials, reuse_actors=True),
            run_config=tune.RunConfig(storage_path=str(work / "tune"), verbose=0),
        ).fit()
    wall = time.perf_counter() - began
    seconds = [each for store in (work / "stores").iterdir() for each in _seconds(Directory(store)).values()]
    ended = [result.metrics["aia"] for result in done if result.metrics and result.metrics.get("task") == tasks]
    return Spent(wall, math.fsum(seconds), len(seconds), len(ended), max(ended)), slots


def _suggest(given: Mapping[str, Any], trial: Any) -> dict[str, Any]:
    """A suggestion of the space in a file, with what else a run is given. Tune pickles it, which a space cannot be."""
    searched = _searched(load_sweep(Path(given["file"])))
    return {**searched.suggest(searched.points[0], partial(_draw, trial)), **given}


def one_run(config: dict[str, Any]) -> None:
    """All stages of a run, task by task, into a store of its own; what it has reached is reported after every task."""
    (space,) = load_sweep(Path(config["file"])).spaces
    trial = _trial(space, {name: config[name] for name in space.design if name in config})
    store = Directory(Path(config["stores"]) / tune.get_context().get_trial_id())
    store.prepare()
    for task, step in enumerate(space.trainable.steps_of(trial.config), 1):
        graph = Graph(space.name, (Plan(space, [trial], [step]),))
        InlineExecutor().run(Dispatch(graph, store, machine=InlineExecutor().machine, save_seconds=3600, observers=[]))
        tune.report({"task": task, "aia": read_metrics(store, step.key)["aia"]})


def _trial(space: Space, params: Mapping[str, Any]) -> Trial:
    """The one of a suggestion: the space has one seed and one study."""
    if space.searched is None:
        raise TypeError(f"{space.name} is not searched")
    (point,) = space.searched.points
    (trial,) = space.searched.trials(point, params)
    return trial


def _searched(sweep: Sweep) -> SearchSpace:
    (space,) = sweep.spaces
    if space.searched is None:
        raise TypeError(f"{space.name} is not searched")
    return space.searched


def _sweep(work: Path, *, trials: int, seed: int) -> Sweep:
    file = work / "searching.yaml"
    file.write_text(SPACE.format(trials=trials, seed=seed))
    return load_sweep(file)


def _seconds(store: Directory) -> dict[str, float]:
    return {key: manifest["seconds"] for key, manifest in store.manifests(store.all_keys()).items()}


if __name__ == "__main__":
    from benchmarks.searching import main as importable  # Ray's workers find its functions by this module's name

    importable()
