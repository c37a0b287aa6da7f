"""Naming a trial, everything about it, and two of them side by side."""

import json
import re
import shutil
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from sweeper.records.trials import find_trial
from sweeper.store.manifest import read, write
from sweeper.trainable.provenance import packages, repository
from tests.project import CASES, SPACE, Project
from tests.sweeper.recorded import begin_again, graph_of, record, store_of

ONE = "plus · 1 · seed 1"
LISTS = "name: lists\ntrainable: tests.tiny\npreset: small\nseeds: [0]\n"

EXPERIMENT = "tests.tiny.experiment"


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("once"))
    made.write(SPACE)
    made.write(CASES.replace("trunk.steps: 3", "trunk.steps: 5"), "cases.yaml")
    made.write("name: paper\ninclude: [space.yaml, cases.yaml]\n", "paper.yaml")
    made.write(LISTS, "one.yaml")
    for file in ("paper.yaml", "one.yaml"):
        assert made.sweeper("run", file, "--executor", "inline", "--no-tracking").returncode == 0
    shutil.rmtree(made.path / "runs" / "sweeps", ignore_errors=True)
    record(made, name="paper", spaces=["tiny", "cases"])
    return made


@pytest.fixture
def finished(once: Project, tmp_path: Path) -> Project:
    """A project of its own, to be damaged."""
    shutil.copytree(once.path, tmp_path, dirs_exist_ok=True)
    made = Project(tmp_path)
    record(made, name="paper", spaces=["tiny", "cases"])
    return made


@pytest.fixture(scope="module")
def key(once: Project) -> str:
    """The key of the trial called ONE."""
    labels = [trial.label for trial in graph_of(once).plans[0].space.trials]
    return graph_of(once).plans[0].targets[labels.index(ONE)].key


def with_keys(project: Project, text: str) -> str:
    """Text in which the key of a trial stands for its label between angles."""
    return re.sub("<(.+?)>", lambda found: find_trial(project.path / "runs", f"tiny/{found[1]}").target[:12], text)


@pytest.mark.parametrize(
    "name", ["tiny/plus 1 seed 1", "tiny/seed=1 plus 1", "tiny/1,plus,seed=1", "tiny/plus · 1 · seed 1"]
)
def test_a_trial_is_named_by_words_of_its_label(once: Project, key: str, name: str) -> None:
    found = find_trial(once.path / "runs", name)
    assert (found.space, found.label, found.target) == ("tiny", ONE, key)


@pytest.mark.parametrize("digits", [4, 12, 64])
def test_a_trial_is_named_by_the_first_digits_of_its_key(once: Project, key: str, digits: int) -> None:
    assert find_trial(once.path / "runs", key[:digits]).label == ONE


def test_a_trial_is_found_in_any_space_of_a_sweep(once: Project) -> None:
    found = find_trial(once.path / "runs", "paper/up 2 seed=0")
    assert (found.space, found.label) == ("cases", "up · 2 · seed 0")


def test_trials_that_are_the_same_need_not_be_told_apart(once: Project) -> None:
    found = [find_trial(once.path / "runs", f"paper/{words} 1 seed=0") for words in ("down", "again", "minus")]
    assert len({each.target for each in found}) == 1
    assert find_trial(once.path / "runs", found[0].target[:10]).target == found[0].target


def test_the_only_trial_of_a_sweep_needs_no_words(once: Project) -> None:
    assert find_trial(once.path / "runs", "lists").label == find_trial(once.path / "runs", "lists/").label == "seed 0"


def test_all_words_of_a_label_are_that_trial_though_others_have_more(project: Project) -> None:
    project.write(LISTS + "cases:\n  a: {branch.size: 1}\n  'a,b': {branch.size: 2}\n", "more.yaml")
    assert project.sweeper("run", "more.yaml", "--executor", "inline", "--no-tracking").returncode == 0
    assert find_trial(project.path / "runs", "lists/a seed=0").label == "a · seed 0"
    assert find_trial(project.path / "runs", "lists/a,b").label == "a,b · seed 0"


def test_a_trial_is_named_by_its_repeats_and_its_row_is_the_rest(project: Project) -> None:
    project.write(LISTS + "repeat: {trunk.steps: 1-2}\naxes: {branch.size: [1, 2]}\n", "folds.yaml")
    assert project.sweeper("run", "folds.yaml", "--executor", "inline", "--no-tracking").returncode == 0
    found = find_trial(project.path / "runs", "lists/2 steps=1")
    assert (found.label, found.row, found.repeats) == ("2 · seed 0 · steps 1", "2", ["seed 0", "steps 1"])


MISTAKES = {
    "tyni/plus": "no sweep called 'tyni' in runs\n  fix: did you mean tiny?",
    "tiny/plus seed=1": (
        "3 trials match 'plus seed=1' in tiny\n  fix: name one by its key or by words of its label:\n"
        "    <plus · 1 · seed 1>  plus · 1 · seed 1\n"
        "    <plus · 2 · seed 1>  plus · 2 · seed 1\n"
        "    <plus · 3 · seed 1>  plus · 3 · seed 1"
    ),
    "tiny/minus 7 seed=1": (
        "no trial matches 'minus 7 seed=1' in tiny\n  fix: name one by its key or by words of its label:\n"
        "    <minus · 1 · seed 1>  minus · 1 · seed 1\n"
        "    <minus · 2 · seed 1>  minus · 2 · seed 1\n"
        "    <minus · 3 · seed 1>  minus · 3 · seed 1\n"
    ),
    "tiny/plu 1 seed=1": "no trial matches 'plu 1 seed=1' in tiny",
    "tiny": "12 trials match tiny\n  fix: name one by its key or by words of its label:\n",
    "ffff": "no trial matches key ffff\n",
    "b9": "no sweep called 'b9' in runs\n  fix: known: cases, lists, paper, tiny",
    "paper/1 seed=1": (
        "5 trials match '1 seed=1' in paper\n  fix: name one by its key or by words of its label:\n"
        "    <plus · 1 · seed 1>  tiny/plus · 1 · seed 1\n"
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_name_of_no_trial_or_of_several(once: Project, name: str) -> None:
    done = once.sweeper("show", name)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {with_keys(once, MISTAKES[name])}")
    assert len(done.stderr.splitlines()) <= 11


def test_the_rest_of_many_candidates_is_counted(once: Project) -> None:
    assert once.sweeper("show", "tiny").stderr.endswith("\n    and 4 more\n")


def test_a_sweep_without_results_yet(project: Project) -> None:
    record(project, "running")
    assert project.sweeper("show", "tiny/plus").stderr == snapshot("""\
error: tiny has no results yet
  fix: see how far it is: sweeper status tiny
""")


def test_everything_about_a_trial(once: Project, key: str) -> None:
    shown = once.sweeper("show", "tiny/plus 1 seed=1").stdout
    described = json.loads(once.sweeper("show", key[:6], "--json").stdout)
    assert shown.startswith(
        "sweep   tiny\n"
        f"trial   {ONE}\n"
        f"key     {key}\n"
        "status  finished\n"
        "\nconfig that differs within the sweep\n  branch.kind  plus\n  branch.size  1\n  seed         1\n"
        "\nconfig\n  trunk.steps  5\n  trunk.pause  0\n  remark       nothing\n"
        "\nfacts\n  cost  100\n"
        "\nmetrics\n  score   20193.9\n  beauty  none\n  charm   none\n  path    [6731.14, 6731.29, 6731.43]\n"
        "  matrix  [6731.14, 6731.29, 6731.43]\n          [6731.14, 6731.29, 6731.43]\n"
        "\nstages: 5 of 5\n  key           stage        seconds  state   device  cpus  machine\n"
    )
    names = [line[16:29].rstrip() for line in shown.partition("\nstages:")[2].splitlines()[2:7]]
    assert names == ["grow", "bend turn=0", "bend turn=1", "bend turn=2", "total"]
    assert f"  commit    {repository(EXPERIMENT).commit}".replace("+", ", with changes") in shown
    assert "  source    the code is the same now\n" in shown
    assert f"  pydantic  {packages(EXPERIMENT)['pydantic']}\n" in shown
    assert described["stages"][4]["key"] == described["key"] == key
    assert [each["params"].get("turn") for each in described["stages"]] == [None, 0, 1, 2, None]
    assert described["metrics"]["score"] == pytest.approx(20193.857142857145)
    assert described["differ"] == ["branch.kind", "branch.size", "seed"]
    assert described["seconds"] == pytest.approx(sum(each["seconds"] for each in described["stages"]))


def test_where_mlflow_has_a_trial(finished: Project) -> None:
    database = f"sqlite:///{finished.path}/runs/mlflow.db"
    assert finished.sweeper("show", "paper/up 1 seed=0").stdout.endswith(
        f"\nMLflow\n  experiment  cases\n  run         up · 1 · seed 0\n  uri         {database}\n"
        "  look        sweeper ui\n"
    )
    record(finished, name="paper", spaces=["tiny", "cases"], tracking_uri="http://server:5000")
    assert finished.sweeper("show", "paper/up 1 seed=0").stdout.endswith("  look        http://server:5000\n")
    assert finished.sweeper("show", "lists").stdout.endswith("\nMLflow\n  not recorded\n")


def edit_manifest(project: Project, key: str, **values: object) -> None:
    directory = store_of(project).path(key)
    write(directory, {**read(directory), **values})


def test_what_differs_among_the_stages_of_a_trial_is_counted(finished: Project, key: str) -> None:
    first = find_trial(finished.path / "runs", key).stages[0]
    edit_manifest(finished, first, commit="abc+", source="other", packages={**packages(EXPERIMENT), "pydantic": "1.0"})
    lines = finished.sweeper("show", key).stdout.splitlines()
    assert "  source    other code than now: grow" in lines
    assert f"  pydantic  1.0 (1), {packages(EXPERIMENT)['pydantic']} (4)" in lines
    assert any(line.startswith("  commit    abc, with changes (1), ") for line in lines)


def test_a_trial_that_was_finished_since_the_results_were_written(finished: Project, key: str) -> None:
    targets = begin_again(finished, lost=1)  # results as at the start of a run: all trials are missing
    described = json.loads(finished.sweeper("show", key, "--json").stdout)
    assert described["status"] == "finished"
    assert described["metrics"]["score"] == pytest.approx(20193.857142857145)
    lines = finished.sweeper("show", "tiny/plus 1 seed=0").stdout.splitlines()
    assert lines[3] == snapshot("status  missing: not run yet")
    assert "stages: 4 of 5" in lines
    assert any(line.split() == [targets[0][:12], "missing"] for line in lines)


def test_looking_changes_nothing_though_artifacts_are_damaged(finished: Project, key: str) -> None:
    begin_again(finished, lost=1)
    store = store_of(finished)
    stages = find_trial(finished.path / "runs", key).stages
    (store.path(stages[1]) / "manifest.json").write_text("{")
    (store.path(key) / "metrics.json").write_text('{"score": 1}')
    before = {path: path.stat().st_mtime_ns for path in sorted(finished.path.rglob("*"))}
    assert json.loads(finished.sweeper("show", key, "--json").stdout)["metrics"]["score"] is None
    assert "stages: 4 of 5\n" in finished.sweeper("show", key).stdout
    for command in (["diff", key, "tiny/minus 1 seed=1"], ["status", "paper"], ["list"], ["rm", "paper"]):
        assert finished.sweeper(*command).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in sorted(finished.path.rglob("*"))} == before


def test_two_trials_side_by_side(once: Project, key: str) -> None:
    done = once.sweeper("diff", "tiny/plus 1 seed=1", "tiny/minus 1 seed=1")
    assert done.stdout.startswith(
        f"A  {key[:12]}  tiny/plus · 1 · seed 1   finished\n"
        f"B  {with_keys(once, '<minus · 1 · seed 1>')}  tiny/minus · 1 · seed 1  finished\n"
        "\nconfig\n               A     B\n  branch.kind  plus  minus\n"
        "\nstages: 1 shared, 4 only in A, 4 only in B\n"
        "  they part at\n    bend  x3  branch.kind plus | minus\n"
        "  not shared, by function\n           A  B\n    bend   3  3\n    total  1  1\n"
        "\nfacts: the same\n"
        "\nnumbers\n                 A      B      B - A\n  score    20193.9  20193  -0.857143\n"
    )
    assert done.stdout.endswith("\nmade by: the same commit, packages, devices and machines\n")


def test_two_trials_side_by_side_as_json(once: Project) -> None:
    found = json.loads(once.sweeper("diff", "tiny/plus 1 seed=0", "cases/up 2 seed=0", "--json").stdout)
    assert [each["trial"] for each in found["trials"]] == ["plus · 1 · seed 0", "up · 2 · seed 0"]
    assert found["config"] == {"branch.size": [1, 2], "trunk.steps": [5, 2]}
    assert found["facts"] == {"cost": [100, 200]}
    assert (found["stages"]["shared"], found["stages"]["only"]) == (0, [5, 5])
    assert found["stages"]["parting"] == [
        {"function": "grow", "in": [True, True], "differ": {"trunk.steps": [5, 2]}, "count": 1}
    ]
    one, other, more = found["metrics"]["score"]
    assert more == other - one


def test_trials_made_by_different_software(finished: Project, key: str) -> None:
    edit_manifest(finished, key, machine="other", packages={**packages(EXPERIMENT), "pydantic": "1.0"})
    shown = finished.sweeper("diff", key, "tiny/plus 2 seed=1").stdout
    _, _, made_by = shown.partition("\nmade by\n")
    assert [line.split()[0] for line in made_by.splitlines()] == ["A", "machine", "pydantic"]


def test_missing_stages_are_not_compared(finished: Project) -> None:
    targets = begin_again(finished, lost=1)
    for key in graph_of(finished).plans[0].per_trial[0]:
        if key != targets[0] and "bend" in str(store_of(finished).manifest(key)["stage"]):
            shutil.rmtree(store_of(finished).path(key))
    shown = finished.sweeper("diff", "tiny/plus 1 seed=0", "tiny/plus 2 seed=0").stdout
    assert "  of these 4 of A and 0 of B are missing, and nothing is known of them\n" in shown
    assert "    bend  x3  made only for B\n" in shown


def test_a_trial_and_itself(once: Project, key: str) -> None:
    shown = once.sweeper("diff", key, key[:5]).stdout
    assert "\nconfig: the same\n\nstages: 5 shared, 0 only in A, 0 only in B\n\nfacts: the same\n" in shown
