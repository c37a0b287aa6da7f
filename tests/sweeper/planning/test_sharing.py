from pathlib import Path

from sweeper.planning.graph import Graph
from sweeper.planning.sharing import Sharing
from sweeper.space.sweep import load_sweep
from tests.project import CASES, SPACE, Project


def sharing_of(path: Path) -> Sharing:
    return Sharing.of(Graph.of(load_sweep(path)))


def groups(sharing: Sharing, index: int) -> list[tuple[int, str]]:
    return [(sharing.groups[rows], sharing.names(rows, without=index)) for rows in sharing.shared(index)]


def test_rows_are_trials_without_their_seeds(project: Project) -> None:
    sharing = sharing_of(project.path / "space.yaml")
    assert [row.name for row in sharing.rows] == [
        "plus · 1",
        "plus · 2",
        "plus · 3",
        "minus · 1",
        "minus · 2",
        "minus · 3",
    ]
    assert [[trial.seed for trial in row.trials] for row in sharing.rows] == [[0, 1]] * 6
    assert [len(row.stages) for row in sharing.rows] == [10] * 6


def test_what_all_rows_share_and_what_is_a_rows_own(project: Project) -> None:
    sharing = sharing_of(project.path / "space.yaml")
    assert {sharing.own(index) for index in range(6)} == {8}
    assert groups(sharing, 0) == [(2, "all 6 rows")]  # a trunk for every seed


def test_stages_are_grouped_by_the_very_rows_that_use_them(project: Project) -> None:
    sharing = sharing_of(project.write(CASES))
    assert [row.name for row in sharing.rows] == ["up · 1", "up · 2", "down · 1", "down · 2", "again · 1", "again · 2"]
    assert [sharing.own(index) for index in range(6)] == [8, 8, 0, 0, 0, 0]
    assert groups(sharing, 0) == [(2, "up · 2")]
    assert groups(sharing, 2) == [(8, "again · 1"), (2, "3 rows")]
    assert sum(sharing.groups.values()) == 36  # a partition: every stage stands in one group


def test_rows_of_another_space_are_named_with_it(project: Project) -> None:
    one = "\n".join([*SPACE.splitlines()[:4], "axes: {branch.kind: [plus, minus]}"])
    project.write(one, "one.yaml")
    project.write(one.replace("name: tiny", "name: other").replace("[plus, minus]", "[plus]"), "other.yaml")
    sharing = sharing_of(project.write("name: both\ninclude: [one.yaml, other.yaml]\n"))
    assert sharing.labels == ["tiny: plus", "tiny: minus", "other: plus"]
    assert groups(sharing, 0) == [(8, "other: plus"), (2, "all 3 rows")]
    assert groups(sharing, 1) == [(2, "all 3 rows")]


def test_a_space_without_axes_is_one_row_of_its_name(project: Project) -> None:
    sharing = sharing_of(project.write("name: alone\ntrainable: tests.tiny\npreset: small\nseeds: [0, 1]\n"))
    assert sharing.labels == ["alone"]
    assert groups(sharing, 0) == []
    assert sharing.own(0) == 10
