"""Every example of the file format, run for real on images and networks that take no time."""

import pyarrow.parquet as pq
import pytest

from sweeper.planning.graph import Graph
from sweeper.space.sweep import load_sweep
from tests.project import ROOT, Project
from trainables.funlora.numbers import METRICS

pytestmark = pytest.mark.slow

EXAMPLES = ROOT / "search_spaces" / "examples"
SMALL = (
    "tasks.first=8",
    "backbone.channels=8",
    "backbone.head_channels=8",
    "base.iterations=1",
    "base.batch=2",
    "adapter.iterations=1",
    "adapter.batch=2",
    "solver.method=euler",
    "samples.chunk=2",
    "classifier.width=2",
    "classifier.epochs=1",
)
AXES = ["rshift · 1 · seed 0", "rshift · 2 · seed 0", "cosine · 1 · seed 0", "cosine · 2 · seed 0"]
CASES = ["vanilla · seed 0", "funlora · seed 0", "real_images · seed 0"]
TRIALS = {
    "axes": {"axes": AXES},
    "zip": {
        "zip": [
            "40-54 · none · 0.1 · seed 0",
            "40-54 · cosine · 0.03 · seed 0",
            "45-54 · none · 0.1 · seed 0",
            "45-54 · cosine · 0.03 · seed 0",
        ],
    },
    "cases": {"cases": CASES},
    "tuned": {"tuned": ["vanilla · seed 0", "funlora · seed 0"]},
    "where": {"where": ["low_rank · none · seed 0", "low_rank · rshift · seed 0", "scale_shift · none · seed 0"]},
    "baseline": {"baseline": ["0-64 · seed 0", "40-54 · seed 0"]},
    "one_at_a_time": {
        "one_at_a_time": ["40-54 · 1 · seed 0", "45-54 · 1 · seed 0", "40-54 · 2 · seed 0", "40-54 · 4 · seed 0"],
    },
    "repeat": {
        "repeat": ["funlora · seed 0 · class_order_seed 0", "funlora · seed 0 · class_order_seed 1"],
    },
    "resources": {"resources": ["funlora · seed 0"]},
    "seeds": {"seeds": ["funlora · seed 0", "funlora · seed 1", "funlora · seed 4"]},
    "search": {
        "search": [
            "cosine · 10 · 40-54 · 0.9 · seed 0",
            "vanilla · 10 · 45-54 · 0.9 · seed 0",
            "vanilla · 10 · 40-54 · 0.8 · seed 0",
            "cosine · 6 · 40-54 · 0.9 · seed 0",
        ],
    },
    "pruner": {
        "pruner": [
            f"{case} · {rate} · seed {seed}"
            for rate in (0.01178, 0.0884)
            for case in ("vanilla", "cosine")
            for seed in (0, 1)
        ],
    },
    "include": {"axes": AXES, "cases": CASES},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One store for all: what the examples agree on runs once."""
    return Project(tmp_path_factory.mktemp("examples"))


def test_every_example_is_here() -> None:
    assert {path.stem for path in EXAMPLES.iterdir()} == TRIALS.keys()


@pytest.mark.parametrize("name", TRIALS)
def test_an_example_runs(project: Project, name: str) -> None:
    sets = [argument for each in SMALL for argument in ("--set", each)]
    done = project.sweeper("run", str(EXAMPLES / f"{name}.yaml"), "--executor", "inline", "--no-tracking", *sets)
    assert done.returncode == 0, done.stderr
    results = [line.removeprefix("results: ") for line in done.stdout.splitlines() if line.startswith("results: ")]
    found = {}
    for path in results:
        rows = pq.read_table(project.path / path).to_pylist()
        assert {row["status"] for row in rows} == {"finished"}
        found[path.split("/")[2].partition("-")[0].removeprefix("example_")] = [row["trial"] for row in rows]
    assert found == TRIALS[name]
    assert ("baseline: adapter.layers 40-54" in done.stdout) == (name in ("baseline", "one_at_a_time"))


@pytest.mark.parametrize("name", ["axes", "cases"])
def test_a_run_ends_with_the_numbers_that_its_stages_say_they_report(project: Project, name: str) -> None:
    sets = [argument for each in SMALL for argument in ("--set", each)]
    done = project.sweeper("run", str(EXAMPLES / f"{name}.yaml"), "--executor", "inline", "--no-tracking", *sets)
    (path,) = [line.removeprefix("results: ") for line in done.stdout.splitlines() if line.startswith("results: ")]
    rows = pq.read_table(project.path / path).to_pylist()
    (plan,) = Graph.of(load_sweep(EXAMPLES / f"{name}.yaml", sets=SMALL)).plans
    for row, stages in zip(rows, plan.per_trial, strict=True):
        reported = {number for node in stages.values() for number in node.reports}
        assert {number for number in METRICS if row[number] is not None} == reported
