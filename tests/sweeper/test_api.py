"""Sweeps from Python, as a user writes them."""

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

import sweeper
from sweeper.trainable.source import closure
from tests.analysis.sweeps import layer_selection
from tests.project import Project

HEAVY = {"torch", "ray", "mlflow", "optuna", "pyarrow", "matplotlib", "pydantic"}


def test_importing_sweeper_imports_nothing_heavy() -> None:
    code = f"import sys, sweeper; sweeper.__all__; dir(sweeper); print({HEAVY!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "set()\n", done.stderr


def test_the_contracts_for_extenders_load_no_library_that_an_extension_may_not_need() -> None:
    code = (
        f"import sys; from sweeper import Executor, Store, Tracker; print({HEAVY - {'pydantic'}!r} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "set()\n", done.stderr


@pytest.mark.parametrize("name", sweeper.__all__)
def test_every_public_name_leads_to_something_documented(name: str) -> None:
    assert getattr(sweeper, name).__doc__


def test_every_public_name_is_there_whatever_was_imported_before() -> None:
    code = (
        "import sweeper, sweeper.trainable.stage, sweeper.planning.graph, sweeper.engine.run; from sweeper import *\n"
        "print(all(callable(each) for each in (stage, plan, run, sweeper.stage, sweeper.plan, sweeper.run, Number)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout == "True\n", done.stderr


def test_the_public_names_are_no_part_of_the_code_that_workers_must_share() -> None:
    followed = [each.name for each in closure("sweeper.engine.worker")]
    assert "sweeper.trainable.stage" in followed
    assert not {"sweeper.api", "sweeper.engine.run", "sweeper.planning.graph", "sweeper.trainable.trainable"} & set(
        followed
    )


def test_a_sweep_is_loaded_planned_run_and_read(project: Project) -> None:
    runs = project.path / "runs"
    sweep = sweeper.load(project.path / "space.yaml", seeds="0", sets=["branch.kind=plus"])
    planned = sweeper.plan(sweep, runs=runs)
    assert str(planned).startswith(sweep.name)
    assert planned.as_json()["to_run"] > 0
    finished = sweeper.run(sweep, runs=runs, executor="inline", tracker=None)
    assert (finished.state, finished.failed) == ("finished", 0)
    assert sweeper.plan(sweep, runs=runs).as_json()["to_run"] == 0
    results = sweeper.read(runs, sweep.name)
    assert isinstance(results.trials, pa.Table)
    assert results.trials["branch.size"].to_pylist() == [1, 2, 3]
    assert str(results.table) == results.table.render("text")
    assert results.table._repr_html_().startswith("<table>")
    assert results.figure("accuracy") is None


def test_a_figure_of_every_sweep_or_of_the_trainable_is_drawn_by_its_name(tmp_path: Path) -> None:
    layer_selection(tmp_path / "results", seeds=1)
    results = sweeper.read(tmp_path, "layer_selection")
    assert results.figure("cost")
    assert results.figure("ranks")
    with pytest.raises(sweeper.SweeperError, match="unknown figure 'rank'") as error:
        results.figure("rank")
    assert error.value.fix == "did you mean ranks?"


def test_a_figure_of_a_trainable_that_is_not_here_is_refused_and_the_others_are_drawn(tmp_path: Path) -> None:
    layer_selection(tmp_path / "results", seeds=1, trainable="gone")
    results = sweeper.read(tmp_path, "layer_selection")
    assert results.figure("cost")
    with pytest.raises(sweeper.SweeperError, match="unknown trainable 'gone'"):
        results.figure("ranks")


def test_results_that_are_not_there_name_those_that_are(project: Project) -> None:
    with pytest.raises(sweeper.SweeperError, match="no results 'tiny'") as error:
        sweeper.read(project.path / "runs", "tiny")
    assert "run a sweep first" in str(error.value)
