import pytest
from inline_snapshot import snapshot

from tests.analysis.sweeps import UNRUN, layer_selection, write_sweep
from tests.project import SPACE, Project

INCLUDE = """\
name: both
include: [space.yaml, more.yaml]
"""


@pytest.mark.slow
def test_a_sweep_of_several_spaces_is_one_page_of_all_of_them_each_once(project: Project) -> None:
    project.write(SPACE.replace("name: tiny", "name: more"), "more.yaml")
    project.write(INCLUDE, "both.yaml")
    assert project.sweeper("run", "both.yaml", "--executor", "inline", "--no-tracking").returncode == 0
    done = project.sweeper("report", "both", "tiny")
    assert done.returncode == 0, done.stderr
    page = (project.path / "report.html").read_text()
    assert done.stdout == f"report: report.html ({len(page.encode()) / 1e6:.1f} MB)\n"
    assert page.count('<section id="sweep-') == 2
    assert "24 trials in 2 sweeps: 24 finished." in page
    assert 'href="http' not in page


@pytest.mark.slow
def test_trials_lead_to_their_runs_in_mlflow(project: Project) -> None:
    project.write(SPACE.replace("[1, 2, 3]", "[1]"))
    assert project.sweeper("run", "space.yaml", "--executor", "inline", "--seeds", "0").returncode == 0
    assert project.sweeper("report", "tiny", "--mlflow", "http://127.0.0.1:4321/").returncode == 0
    page = (project.path / "report.html").read_text()
    assert page.count('href="http://127.0.0.1:4321/#/experiments/') == 2


def test_a_sweep_that_has_not_run_yet_is_reported_with_what_is_missing(project: Project) -> None:
    write_sweep(project.path / "runs" / "results", [UNRUN | {"adapter.layers": "0-64", "seed": 0, "ppc": 9}])
    assert project.sweeper("report", "layer_selection").returncode == 0
    assert "0 of 1 finished; 1 missing: not run yet" in (project.path / "report.html").read_text()


def test_the_figures_of_the_trainable_are_in_the_report_where_it_is_here(project: Project) -> None:
    results = project.path / "runs" / "results"
    layer_selection(results, seeds=1)
    layer_selection(results, seeds=1, name="other", trainable="gone")
    done = project.sweeper("report", "layer_selection", "other")
    assert done.returncode == 0, done.stderr
    page = (project.path / "report.html").read_text()
    assert page.count("<h4>Rank of F</h4>") == 1
    assert page.count("<h4>Samples</h4>") == 2
    assert "other: figures of trainable 'gone' are left out: unknown trainable 'gone'" in done.stderr


def test_an_unknown_sweep_is_answered_with_the_nearest_name(project: Project) -> None:
    layer_selection(project.path / "runs" / "results")
    done = project.sweeper("report", "layers_selection")
    assert done.returncode == 2
    assert done.stderr == snapshot("""\
error: no sweep called 'layers_selection' in runs
  fix: did you mean layer_selection?
""")


def test_a_file_that_cannot_be_written(project: Project) -> None:
    write_sweep(project.path / "runs" / "results", [UNRUN | {"adapter.layers": "0-64", "seed": 0, "ppc": 9}])
    done = project.sweeper("report", "layer_selection", "-o", "nowhere/report.html")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == snapshot("""\
error: nowhere/report.html cannot be written: No such file or directory
  fix: choose another file with -o
""")
