from pathlib import Path

import pytest
from inline_snapshot import snapshot

from tests.analysis.sweeps import UNRUN, layer_selection, write_sweep
from tests.project import Project


@pytest.mark.slow
def test_every_figure_of_a_sweep_is_a_file_in_every_format_and_what_is_not_drawn_is_said(project: Project) -> None:
    layer_selection(project.path / "runs" / "results")
    done = project.sweeper("figures", "layer_selection", *(f"--format={each}" for each in ("pdf", "svg", "png")))
    assert done.returncode == 0
    drawn = ["importance", "ranks", "ponderations", "samples", "accuracy", "matrix", "cost", "curves"]
    paths = [f"figures/layer_selection-{figure}.{suffix}" for figure in drawn for suffix in ("pdf", "svg", "png")]
    none = "layer_selection-heatmap: none, it needs a table with two row names and a measured column"
    unsearched = [
        "layer_selection-front: none, the sweep is not a search with several objectives",
        "layer_selection-history: none, the sweep is not a search",
        "layer_selection-search_importances: none, no importance is known",
    ]
    assert done.stdout.splitlines() == [*paths[:21], none, *paths[21:], *unsearched]
    starts = {".pdf": b"%PDF", ".svg": b"<?xml", ".png": b"\x89PNG"}
    for path in map(Path, paths):
        assert (project.path / path).read_bytes().startswith(starts[path.suffix])


def test_of_a_sweep_that_has_not_run_nothing_is_drawn(project: Project) -> None:
    write_sweep(project.path / "runs" / "results", [UNRUN | {"adapter.layers": "0-64", "seed": 0}])
    done = project.sweeper("figures", "layer_selection")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[:2] == snapshot(
        [
            "layer_selection-importance: none, no trial has measured it",
            "layer_selection-ranks: none, no trial has measured them",
        ]
    )
    assert all(": none, " in line for line in lines)
    assert not (project.path / "figures").exists()


def test_figures_of_a_trainable_that_is_not_here_are_left_out_and_the_others_drawn(project: Project) -> None:
    layer_selection(project.path / "runs" / "results", trainable="gone")
    done = project.sweeper("figures", "layer_selection", "--format", "svg")
    assert done.returncode == 0
    assert [line.partition(":")[0] for line in done.stdout.splitlines()[:2]] == [
        "figures/layer_selection-samples.svg",
        "figures/layer_selection-accuracy.svg",
    ]
    assert done.stderr == snapshot(
        "layer_selection: figures of trainable 'gone' are left out: unknown trainable 'gone': not among the installed ones (funlora), and no module in the working directory\n"
    )


def test_an_unknown_sweep_is_answered_before_anything_is_drawn(project: Project) -> None:
    layer_selection(project.path / "runs" / "results")
    done = project.sweeper("figures", "layer_selection", "layers")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == snapshot("""\
error: no results 'layers' in runs/results
  fix: known: layer_selection
""")


def test_a_directory_that_cannot_be_written(project: Project) -> None:
    layer_selection(project.path / "runs" / "results")
    project.write("", "taken")
    done = project.sweeper("figures", "layer_selection", "-o", "taken")
    assert done.returncode == 2
    assert done.stderr == snapshot("""\
error: taken/layer_selection-importance.pdf cannot be written: File exists
  fix: choose another directory with -o
""")
