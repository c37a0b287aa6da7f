"""What a searched space leaves beside its trials."""

import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.project import Project
from tests.sweeper.search_spaces import results, search_space, suggestions, trials

RUN = ("run", "space.yaml", "--executor", "inline", "--no-tracking")
TEXT = pa.string()
SIZE = "branch.size: {int: [0, 7]}"


def ran(project: Project, text: str, code: int = 0) -> pa.Table:
    """The table of suggestions after a run."""
    project.write(text)
    done = project.sweeper(*RUN)
    assert done.returncode == code, done.stderr
    return pq.read_table(results(project) / "suggestions.parquet")


def searched(table: pa.Table) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(table.schema.metadata[b"sweeper.search"])
    return found


def test_the_columns_of_a_suggestion(project: Project) -> None:
    depends = f"{SIZE[:-1]}, when: \"branch.kind == 'plus'\"}}\n    trunk.pause: {{uniform: [0, 0.001]}}"
    table = ran(project, search_space((SIZE, depends), ("{score: maximise}", "{score: maximise, cost: minimise}")))
    assert {field.name: field.type for field in table.schema} == {
        "study": TEXT,
        "number": pa.int64(),
        "state": TEXT,
        "cause": TEXT,
        "seeds": pa.int64(),
        "seconds": pa.float64(),
        "value.score": pa.float64(),
        "value.cost": pa.float64(),
        "targets": pa.list_(TEXT),
        "param.branch.kind": TEXT,
        "param.branch.size": pa.int64(),
        "param.trunk.pause": pa.float64(),
    }
    rows = table.to_pylist()
    assert [(each["study"], each["number"], each["state"], each["cause"]) for each in rows] == [
        ("", number, "finished", None) for number in range(6)
    ]
    assert all((each["param.branch.size"] is None) == (each["param.branch.kind"] == "minus") for each in rows)
    finished = {each["target"] for each in trials(project) if each["status"] == "finished"}
    assert {target for each in rows for target in each["targets"]} == finished
    spent, all_of_it = (sum(each["seconds"] for each in found) for found in (rows, trials(project)))
    assert 0 < spent < all_of_it + 1e-9  # where trials share stages each of them counts these


def test_what_is_searched_for_stands_beside_the_suggestions(project: Project) -> None:
    more = "pruner: median\n  reference: {score: 20}\n  sampler: random"
    said = searched(ran(project, search_space(("[0, 7]}", "[0, 7], when: \"branch.kind == 'plus'\"}"), more=more)))
    importances = said.pop("importances")
    assert said == {
        "sampler": "random",
        "pruner": "median",
        "objectives": {"score": "maximise"},
        "reference": {"score": 20.0},
        "trials": 6,
        "distributions": {
            "branch.kind": "one of plus, minus",
            "branch.size": "whole numbers from 0 to 7, when branch.kind == 'plus'",
        },
    }
    assert {(each["study"], each["objective"], each["name"]) for each in importances} == {
        ("", "score", "branch.kind"),
        ("", "score", "branch.size"),
    }
    assert sum(each["importance"] for each in importances) == pytest.approx(1)


def test_of_one_suggestion_no_importance_can_be_told(project: Project) -> None:
    said = searched(ran(project, search_space(("trials: 6", "trials: 1"))))
    assert (said["importances"], said["pruner"], said["reference"]) == ([], None, {})


def test_suggestions_are_in_order_of_study_and_number(project: Project) -> None:
    text = search_space(("search:", "axes: {trunk.steps: [3, 2]}\nsearch:"), ("trials: 6", "trials: 3"))
    table = ran(project, text)
    found = [(each["study"], each["number"]) for each in table.to_pylist()]
    assert [study for study, _ in found] == ["3"] * 3 + ["2"] * 3
    assert found == sorted(set(found), key=lambda each: (each[0] == "2", each[1]))
    assert {each["study"] for each in searched(table)["importances"]} <= {"2", "3"}


def test_seconds_are_those_that_a_suggestion_itself_has_spent(project: Project) -> None:
    """What one before it, or another space, has made costs nothing."""
    more = "enqueue: [{branch.kind: plus, branch.size: 1}, {branch.kind: plus, branch.size: 2}]"
    ran(project, search_space(("trials: 6", "trials: 2"), more=more))
    stages = {each["target"]: each["stages"] for each in trials(project)}
    took = {
        path.parent.name: json.loads(path.read_text())["seconds"]
        for path in (project.path / "runs" / "store").glob("objects/*/*/manifest.json")
    }
    spent = set[str]()
    for each in suggestions(project):
        own = {key for target in each["targets"] for key in stages[target]} - spent
        spent |= own
        assert each["seconds"] == pytest.approx(sum(took[key] for key in own))
        assert 0 < len(own) < 11


def test_a_suggestion_that_is_not_finished_has_no_value(project: Project) -> None:
    text = search_space(("[plus, minus]", "[plus, nan, bad]"), more="enqueue: [{branch.kind: nan}, {branch.kind: bad}]")
    diverged, failed, *_ = ran(project, text, code=1).to_pylist()
    assert (diverged["state"], diverged["value.score"], diverged["seeds"]) == ("pruned", None, 0)
    assert (failed["state"], failed["value.score"], failed["seeds"], failed["cause"]) == ("running", None, 0, None)
    assert [len(each["targets"]) for each in (diverged, failed)] == [1, 1]


def test_choices_of_several_kinds_are_written_as_text(project: Project) -> None:
    choice = "remark: {choice: ['1', 'none']}\n    trunk.pause: {choice: [0, 0.001]}"
    rows = ran(project, search_space((SIZE, choice))).to_pylist()
    assert {each["param.remark"] for each in rows} <= {"1", "none"}
    assert {each["param.trunk.pause"] for each in rows} <= {0, 0.001}


def test_the_results_of_a_search_without_a_table_are_its_names_and_objectives(project: Project) -> None:
    ran(project, search_space(("{score: maximise}", "{score: maximise, cost: minimise}")))
    described = json.loads(pq.read_schema(results(project) / "trials.parquet").metadata[b"sweeper.table"])
    assert (described["rows"], described["columns"]) == (["branch.kind", "branch.size"], ["score", "cost"])
    assert (described["design"], described["seeds"]) == (["branch.kind", "branch.size"], ["seed"])


def test_another_search_by_the_same_name_leaves_nothing_of_the_one_before(project: Project) -> None:
    ran(project, search_space())
    ran(project, search_space(("branch.kind: {choice: [plus, minus]}\n    ", ""), ("trials: 6", "trials: 2")))
    assert len(suggestions(project)) == 2
    assert "param.branch.kind" not in suggestions(project)[0]
    assert len(trials(project)) <= 4


def test_how_far_a_search_is_stands_in_its_status(project: Project) -> None:
    ran(project, search_space(("[plus, minus]", "[plus, nan]"), more="enqueue: [{branch.kind: nan}]"))
    pruned = [each["state"] for each in suggestions(project)].count("pruned")
    shown = project.sweeper("status", "hunt")
    assert shown.returncode == 0, shown.stderr
    assert f"  search   6/6 suggestions, {pruned} pruned\n" in shown.stdout
