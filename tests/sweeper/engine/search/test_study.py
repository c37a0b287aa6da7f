"""Studies as drivers use them that may end at any moment, and as Optuna's own tools see them."""

import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import optuna
import pytest
from inline_snapshot import Snapshot, snapshot
from optuna.trial import TrialState

from sweeper.engine.search.study import Study
from sweeper.errors import SweeperError
from sweeper.records.layout import RunsDirectory
from sweeper.space.search import SearchSpace
from sweeper.space.space import Space
from tests.project import Project
from tests.sweeper.search_spaces import ask, search_space, study_in

SIZE = "branch.size: {int: [0, 7]}"
DEPENDS = f"trunk.pause: {{uniform: [0, 1]}}\n    {SIZE[:-1]}, when: \"branch.kind == 'plus'\"}}"
TWO = ("{score: maximise}", "{score: maximise, cost: minimise}")


@pytest.fixture
def read(load: Callable[..., Space]) -> Callable[..., SearchSpace]:
    """What a space with changes says of its search."""

    def _read(*changes: tuple[str, str], more: str = "", **overrides: Any) -> SearchSpace:
        found = load(search_space(*changes, more=more), **overrides).searched
        assert found
        return found

    return _read


def worth(params: Mapping[str, Any]) -> float:
    return 3.0 * (params["branch.kind"] == "plus") + params.get("branch.size", 0) / 7 - params["trunk.pause"]


def campaign(searched: SearchSpace, runs: Path | None, count: int, lives: int) -> list[dict[str, Any]]:
    """The values of suggestions of drivers that live so long; some are reported on, stopped, refused."""
    found = []
    for number in range(count):
        if number % lives == 0:
            study = study_in(runs, searched)
        each = study.ask()
        found.append(dict(each.params))
        if searched.asked.pruner:
            study.report(each.number, 1, worth(each.params))
        if number % 7 == 3 or (searched.asked.pruner and study.should_stop(each.number)):
            study.stop(each.number, "pruned", 1)
        elif number % 7 == 5:
            study.refuse(each.number, "where excludes the suggestion")
        else:
            values = [worth(each.params), float(each.params.get("branch.size", 1))]
            study.finish(each.number, values[: len(searched.asked.objectives)], 2)
    return found


@pytest.mark.parametrize(
    ("sampler", "pruner"),
    [("random", None), ("tpe", None), ("qmc", None), ("nsga2", None), ("tpe", "hyperband")],
)
def test_what_is_suggested_does_not_depend_on_interruptions(
    read: Callable[..., SearchSpace], tmp_path: Path, sampler: str, pruner: str | None
) -> None:
    more = f"sampler: {sampler}" + (f"\n  pruner: {pruner}" if pruner else "")
    searched = read((SIZE, DEPENDS), *([] if pruner else [TWO]), more=more)
    whole = campaign(searched, None, 15, 15)
    assert campaign(searched, tmp_path, 15, 4) == whole
    assert len(set(map(str, whole))) > 7


def test_a_suggestion_that_was_left_is_gone_on_with_as_it_was(read: Callable[..., SearchSpace], tmp_path: Path) -> None:
    searched = read((SIZE, DEPENDS))
    first = study_in(tmp_path, searched)
    ask(first, 12, worth)
    left = first.ask()
    first.report(left.number, 1, 0.5)
    study = study_in(tmp_path, searched)
    assert [each.number for each in study.suggestions() if each.state == "running"] == [12]
    again = study.go_on(12)
    assert (again.params, again.reported) == (left.params, {1: 0.5})
    study.report(12, 2, 0.25)
    study.finish(12, [1.0], 2)
    ended = study_in(tmp_path, searched).suggestions()[12]
    assert (ended.state, ended.values, ended.begun, ended.reported) == ("finished", [1.0], 2, {1: 0.5, 2: 0.25})


def test_a_driver_killed_between_two_values_of_a_suggestion_leaves_one_that_gets_the_others(
    read: Callable[..., SearchSpace], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    searched = read((SIZE, DEPENDS))
    with monkeypatch.context() as killed:
        killed.setattr(optuna.Trial, "suggest_float", end)
        with pytest.raises(KeyboardInterrupt):
            study_in(tmp_path, searched).ask()
    study = study_in(tmp_path, searched)
    (left,) = study.suggestions()
    assert (left.state, list(left.params)) == ("running", [])
    assert study.go_on(0).params == {**left.params, **study.suggestions()[0].params}
    assert "trunk.pause" in study.suggestions()[0].params
    assert study.ask().number == 1


def test_more_suggestions_samplers_pruners_and_enqueued_ones_go_on_with_the_study(
    read: Callable[..., SearchSpace], tmp_path: Path
) -> None:
    ask(study_in(tmp_path, read()), 3)
    for changes, more in (
        ([("trials: 6", "trials: 60")], ""),
        ([], "sampler: random"),
        ([], "pruner: median"),
        ([], "timeout: 2h"),
        ([], "seed: 7"),
        ([], "reference: {score: 1}"),
        ([], "enqueue: [{branch.size: 3}]"),
    ):
        study = study_in(tmp_path, read(*changes, more=more))
        assert [each.state for each in study.suggestions()][:3] == ["finished"] * 3
    assert study.ask().params["branch.size"] == 3


@pytest.mark.parametrize(
    "changes",
    [
        [("score: maximise", "cost: minimise")],
        [TWO],
        [("search:", "fixed: {trunk.steps: 3}\nsearch:")],
        [("preset: small", "preset: slow")],
        [("seeds: [0, 1]", "seeds: [0, 2]")],
        [("[0, 7]", "[0, 8]")],
        [("[0, 7]}", "[0, 7], when: \"branch.kind == 'plus'\"}")],
        [("[plus, minus]", "[minus, plus]")],
        [("search:", "where: branch.size < 7\nsearch:")],
    ],
)
def test_what_means_another_thing_is_another_study(
    read: Callable[..., SearchSpace], tmp_path: Path, changes: list[tuple[str, str]]
) -> None:
    ask(study_in(tmp_path, read()), 1)
    assert study_in(tmp_path, read(*changes)).suggestions() == []
    assert len(study_in(tmp_path, read()).suggestions()) == 1


def test_values_are_not_taken_for_those_of_objectives_in_another_order(
    read: Callable[..., SearchSpace], tmp_path: Path
) -> None:
    study = study_in(tmp_path, read(TWO))
    study.finish(study.ask().number, [11.0, 700.0], 2)
    assert study_in(tmp_path, read((TWO[0], "{cost: minimise, score: maximise}"))).suggestions() == []


def test_rows_have_studies_that_do_not_know_each_other(read: Callable[..., SearchSpace], tmp_path: Path) -> None:
    searched = read(("search:", "axes: {trunk.steps: [2, 3], remark: [a, b]}\nsearch:"))
    studies = [study_in(tmp_path, searched, row) for row in range(4)]
    assert [each.point.label for each in studies] == ["2 · a", "2 · b", "3 · a", "3 · b"]
    for count, study in enumerate(studies):
        ask(study, count)
    assert [len(study_in(tmp_path, searched, row).suggestions()) for row in range(4)] == [0, 1, 2, 3]


def test_what_is_enqueued_comes_first_once_and_what_it_leaves_out_is_drawn(
    read: Callable[..., SearchSpace], tmp_path: Path
) -> None:
    rows = "[{branch.kind: minus, branch.size: 5}, {branch.size: 6}, {branch.size: 6}]"
    searched = read(more=f"enqueue: {rows}")
    for _ in range(2):
        study = study_in(tmp_path, searched)
    assert [each.state for each in study.suggestions()] == ["waiting"] * 2
    first, second, third = ask(study, 3)
    assert first == {"branch.kind": "minus", "branch.size": 5}
    assert second["branch.size"] == 6
    assert second["branch.kind"] in ("plus", "minus")
    ask(study_in(tmp_path, searched), 1)
    assert [each.state for each in study.suggestions()] == ["finished"] * 4
    assert third != first


def test_optuna_finds_the_study_with_what_became_of_every_suggestion(
    read: Callable[..., SearchSpace], tmp_path: Path
) -> None:
    searched = read(TWO, (SIZE, DEPENDS))
    study = study_in(tmp_path, searched)
    for end in (
        lambda number: study.finish(number, [11.0, 700.0], 2),
        lambda number: study.stop(number, "diverged: the loss is nan", 1),
        lambda number: study.refuse(number, "where excludes the suggestion"),
        lambda number: None,
    ):
        end(study.ask().number)
    storage = RunsDirectory(tmp_path).studies_uri
    (name,) = optuna.get_all_study_names(storage)
    assert name.startswith("hunt ")
    shown = optuna.load_study(study_name=name, storage=storage)
    assert shown.metric_names == ["score", "cost"]
    assert [each.name for each in shown.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert shown.user_attrs["distributions"]["branch.size"] == "whole numbers from 0 to 7, when branch.kind == 'plus'"
    assert [each.state for each in shown.trials] == [
        TrialState.COMPLETE,
        TrialState.PRUNED,
        TrialState.FAIL,
        TrialState.RUNNING,
    ]
    assert shown.trials[0].values == [11.0, 700.0]
    assert shown.trials[1].user_attrs == {"cause": "diverged: the loss is nan", "seeds": 1}
    assert {name for each in shown.trials for name in each.params} == {"branch.kind", "branch.size", "trunk.pause"}


def test_importances_tell_which_name_matters_and_nothing_where_nothing_can_be_told(
    read: Callable[..., SearchSpace], tmp_path: Path
) -> None:
    searched = read((SIZE, DEPENDS))
    study = study_in(tmp_path, searched)
    for count in (0, 1, 2):  # none, one, and several that are all equal
        ask(study, count)
        assert study.importances() == {}
    ask(study, 20, lambda params: float(params["branch.kind"] == "plus"))
    (found,) = study.importances().values()
    assert set(found) == {"branch.kind", "branch.size", "trunk.pause"}
    assert max(found, key=lambda name: found[name]) == "branch.kind"
    assert sum(found.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("storage", "expected"),
    [
        (
            "nonsense",
            snapshot("""\
the study's storage nonsense cannot be used: Could not parse SQLAlchemy URL from given URL string
  fix: check --optuna-storage; by default it is a file in --runs\
"""),
        ),
        (
            "sqlite:////nowhere/at/all.db",
            snapshot("""\
the study's storage sqlite:////nowhere/at/all.db cannot be used: (sqlite3.OperationalError) unable to open database file
  fix: check --optuna-storage; by default it is a file in --runs\
"""),
        ),
    ],
)
def test_a_storage_that_cannot_be_used(read: Callable[..., SearchSpace], storage: str, expected: Snapshot[str]) -> None:
    searched = read()
    with pytest.raises(SweeperError) as error:
        Study(searched, searched.points[0], "hunt", storage)
    assert str(error.value) == expected


def test_the_password_of_a_storage_is_told_to_nobody(read: Callable[..., SearchSpace]) -> None:
    searched = read()
    for address in ("nothing+that://me:se:cret@host/db", "postgresql+missing://me:secret@host:5432/db"):
        with pytest.raises(SweeperError) as error:
            Study(searched, searched.points[0], "hunt", address)
        assert "://me:***@host" in str(error.value)
        assert "cret" not in str(error.value)


def test_a_study_on_a_server_is_of_one_directory(project: Project) -> None:
    (project.path / "space.yaml").write_text(search_space(("trials: 6", "trials: 1")))
    storage = f"sqlite:///{project.path / 'shared.db'}"
    arguments = ("run", "space.yaml", "--executor", "inline", "--no-tracking", "--optuna-storage", storage)
    assert project.sweeper(*arguments).returncode == 0
    assert project.sweeper(*arguments).returncode == 0
    other = project.sweeper(*arguments, "--runs", "elsewhere")
    assert other.returncode == 2
    assert f" in {storage} is that of {platform.node()}:{project.path / 'runs'}\n" in other.stderr
    assert other.stderr.endswith("  fix: give the space another name, or run it there\n")
    assert not (project.path / "runs" / "optuna.db").exists()
