import gc
import shutil
from pathlib import Path

import pytest

from sweeper.errors import SweeperError
from sweeper.planning import counts as summary_module
from sweeper.planning.counts import stale, summarise
from sweeper.planning.graph import Graph, Plan
from sweeper.space.sweep import load_sweep
from sweeper.store.base import Store
from sweeper.store.local import directory
from sweeper.trainable.stage import Stage, StageRun, stage
from tests.project import Project, finish
from tests.sweeper.search_spaces import search_space
from tests.tiny.experiment import bend, grow


def test_trials_share_what_they_agree_on(graph: Graph, store: Store) -> None:
    summary = summarise(graph, store)
    assert summary["trials"] == 12
    assert summary["stages"] == 12 * 5
    assert summary["functions"] == {
        "grow": {"unique": 2, "cached": 0},  # one trunk per seed
        "bend": {"unique": 36, "cached": 0},
        "total": {"unique": 12, "cached": 0},
    }
    assert summary["unique"] == summary["to_run"] == 50


def test_a_finished_sweep_has_nothing_to_run(graph: Graph, store: Store) -> None:
    finish(graph, store)
    summary = summarise(graph, store)
    assert summary["cached"] == 50
    assert summary["to_run"] == 0


def test_planning_reads_every_manifest_once(graph: Graph, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    finish(graph, store)
    read: list[str] = []
    original = directory.read
    monkeypatch.setattr(directory, "read", lambda path: read.append(path.name) or original(path))
    summarise(graph, store)
    assert sorted(read) == sorted(graph.stages)


def test_more_seeds_and_values_run_only_what_is_new(project: Project, graph: Graph, store: Store) -> None:
    finish(graph, store)
    wider = Graph.of(load_sweep(project.path / "space.yaml", seeds="0-2"))
    assert len(wider.missing(store)) == 1 + 6 * 4


def test_what_only_finished_results_need_is_not_made_again(graph: Graph, store: Store) -> None:
    finish(graph, store)
    for target in list(graph.targets)[1:]:
        for parent in target.parents():
            if store.has(parent.key):
                shutil.rmtree(store.path(parent.key))
    assert graph.missing(store) == {}


def test_a_missing_result_brings_back_its_inputs(graph: Graph, store: Store) -> None:
    finish(graph, store)
    target = next(graph.targets)
    bent = next(target.parents())
    for key in (target.key, bent.key):
        shutil.rmtree(store.path(key))
    assert list(graph.missing(store)) == [bent.key, target.key]


@stage(version=1)
def link(run: StageRun, number: int, before: Path | None = None) -> None: ...


def test_a_chain_may_be_as_long_as_it_likes(graph: Graph, store: Store) -> None:
    last = link(0)
    for number in range(1, 5000):
        last = link(number, last)
    chain = Graph("chain", (Plan(graph.plans[0].space, graph.plans[0].trials[:1], [last]),))
    assert [node.params["number"] for node in chain.stages.values()] == list(range(5000))
    with store.scratch() as written:
        store.commit(link(0).key, written, {})
    assert [node.params["number"] for node in chain.missing(store).values()] == list(range(1, 5000))


def test_the_stages_of_a_trial_are_given_by_key(graph: Graph) -> None:
    (plan,) = graph.plans
    assert len(plan.per_trial) == len(plan.targets) == 12
    for target, stages in zip(plan.targets, plan.per_trial, strict=True):
        *_, last = stages.values()
        assert last is target
        assert [key for key in stages if stages[key].function.label == "bend"] == [each.key for each in last.parents()]
    assert [list(stages) for stages in plan.per_trial[:2]] == [list(plan.per_trial[0]), list(plan.per_trial[1])]


def test_two_stages_of_one_name_are_refused(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bend, "name", grow.name)
    with pytest.raises(SweeperError) as error:
        Graph.of(load_sweep(project.path / "space.yaml"))
    assert str(error.value) == (
        "two stages are named 'tests.grow': tests.tiny.experiment:bend and tests.tiny.experiment:grow\n"
        "  fix: rename one of them: @stage(name=...)"
    )


def test_planning_leaves_the_garbage_collector_as_it_was(project: Project) -> None:
    sweep = load_sweep(project.path / "space.yaml")
    Graph.of(sweep)
    assert gc.isenabled()
    gc.disable()
    try:
        Graph.of(sweep)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_changed_source_of_the_same_version_is_told(
    graph: Graph, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(graph, store)
    manifests = store.manifests(graph.stages)
    assert stale(graph, manifests) == []
    monkeypatch.setattr(summary_module, "source_hash", lambda module: "changed")
    assert stale(graph, manifests) == [
        "tests.bend",
        "tests.grow",
        "tests.total",
    ]


def test_the_base_of_the_layer_selection_is_trained_once_per_seed(store: Store) -> None:
    sweep = load_sweep(Path(__file__).parents[3] / "search_spaces" / "layer_selection.yaml")
    functions = summarise(Graph.of(sweep), store)["functions"]
    assert functions["train_flow"]["unique"] == 2
    assert functions["train_adapter"]["unique"] == 11 * 8 * 2


@pytest.fixture
def searched_graph(project: Project) -> Graph:
    """A searched space, and one that lists a trial that may be suggested as well."""
    project.write(search_space())
    axes = "axes: {branch.kind: [minus], branch.size: [7]}\n"
    project.write(f"name: list\ntrainable: tests.tiny\npreset: small\nseeds: [0, 1]\n{axes}", "list.yaml")
    project.write("name: both\ninclude: [space.yaml, list.yaml]\n", "both.yaml")
    return Graph.of(load_sweep(project.path / "both.yaml"))


def suggested(graph: Graph, **params: object) -> list[Stage]:
    """Take in a suggestion for one seed; the steps of its trial."""
    plan = graph.plans[0]
    searched = plan.space.searched
    assert searched
    trial = searched.trials(searched.points[0], {f"branch.{name}": value for name, value in params.items()})[0]
    steps = list(searched.start.trainable.steps_of(trial.config))
    graph.add(plan, trial, steps)
    return steps


def test_a_searched_space_begins_without_trials_and_takes_in_what_is_suggested(
    searched_graph: Graph, store: Store
) -> None:
    plan, listed = searched_graph.plans
    before = len(searched_graph.missing(store))
    assert (plan.trials, plan.stages, len(plan.starts)) == ([], {}, 5)
    steps = suggested(searched_graph, kind="plus", size=3)
    assert [each.label for each in plan.trials] == ["plus · 3 · seed 0"]
    assert [each.key for each in plan.targets] == [steps[-1].key]
    assert len(plan.stages) == 1 + 3 + 3
    assert searched_graph.first_space[steps[0].key] == "hunt"
    assert (
        len(searched_graph.missing(store)) == before + 1 + 3
    )  # the trunk is there; two of the steps are on the way only
    assert len(listed.trials) == 2


def test_a_suggestion_that_comes_again_is_one_trial(searched_graph: Graph) -> None:
    for _ in range(2):
        steps = suggested(searched_graph, kind="minus", size=7)
    plan, listed = searched_graph.plans
    assert [len(each) for each in (plan.trials, plan.targets, plan.per_trial)] == [1, 1, 1]
    assert steps[-1].key == listed.targets[0].key


def test_what_a_space_has_stopped_is_missing_where_another_lists_it(searched_graph: Graph, store: Store) -> None:
    steps = suggested(searched_graph, kind="plus", size=3)
    plan, _ = searched_graph.plans
    plan.pruned[steps[-1].key] = "pruned after step 1 of 3 with seed 0"
    assert steps[-1].key not in searched_graph.missing(store)
    same = suggested(searched_graph, kind="minus", size=7)
    plan.pruned[same[-1].key] = "pruned after step 1 of 3 with seed 0"
    assert same[-1].key in searched_graph.missing(store)
