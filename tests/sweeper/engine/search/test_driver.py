"""A search while it runs: which stages are run in which order, what becomes of suggestions, and how it goes on."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

import optuna
import pytest
from inline_snapshot import snapshot
from optuna.pruners import BasePruner
from optuna.trial import TrialState
from rich.console import Console

from sweeper.engine.dispatch import Dispatch, Machine
from sweeper.engine.ending import Finished
from sweeper.engine.executors.inline import InlineExecutor
from sweeper.engine.options import Options
from sweeper.engine.preparation import misfits
from sweeper.engine.run import run_sweep
from sweeper.engine.search import driver as suggesting
from sweeper.engine.search import study
from sweeper.engine.search.driver import SearchDriver
from sweeper.engine.search.opening import open_searches
from sweeper.engine.worker import Job, perform
from sweeper.errors import SweeperError
from sweeper.planning.graph import Graph
from sweeper.records.layout import RunsDirectory
from sweeper.space.sweep import load_sweep
from sweeper.store.base import Place
from sweeper.store.local.directory import Directory
from sweeper.trainable.resources import Resources
from tests.project import Done, Project
from tests.sweeper.search_spaces import CASES, search_space, suggestions, trials
from tests.tiny.disturbance import LOG

pytestmark = pytest.mark.slow

LIST = """\
name: list
trainable: tests.tiny
preset: small
seeds: [0, 1]
axes: {{branch.kind: [{}], branch.size: [{}]}}
"""
RUN = ("run", "space.yaml", "--executor", "inline", "--no-tracking")
SIZE = "branch.size: {int: [0, 7]}"
GOOD = ", ".join(f"{{branch.kind: plus, branch.size: {size}}}" for size in (3, 4, 5, 6, 7))
BAD = "{branch.kind: minus, branch.size: 7}"
MEDIAN = f"pruner: median\n  enqueue: [{GOOD}, {BAD}]"
"""Five that make a median, and one that is below it from the start: a sum of less in every step."""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[list[Any]]]:
    """The stages that were started, in order; reading empties it."""
    path = tmp_path / "started.log"
    monkeypatch.setenv(LOG, str(path))

    def _read() -> list[list[Any]]:
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [json.loads(line) for line in lines]

    return _read


def run(project: Project, text: str | None = None, *arguments: str) -> Done:
    if text:
        project.write(text)
    return project.sweeper(*RUN, *arguments)


def going(project: Project, text: str) -> tuple[Graph, Directory, list[SearchDriver]]:
    """A search whose stages are run by the test."""
    project.write(text)
    graph = Graph.of(load_sweep(project.path / "space.yaml"))
    store = Directory(project.path / "runs" / "store")
    store.prepare()
    return graph, store, open_searches(graph, store, project.path / "runs", None, anew=True)


def on_machine(project: Project, text: str, cpus: int, parallel: int) -> tuple[Dispatch, SearchDriver]:
    graph, store, searches = going(project, text)
    machine = Machine("cpu", capacity=lambda: Resources(cpus, 0.0, 0), alone=lambda request: request)
    dispatch = Dispatch(
        graph, store, machine=machine, save_seconds=60, observers=[], searches=searches, parallel=parallel
    )
    return dispatch, searches[0]


def jobs(dispatch: Dispatch) -> list[Job]:
    """All that can be started now."""
    return list(iter(dispatch.next, None))


def end(dispatch: Dispatch, job: Job) -> None:
    dispatch.ended(job.key, perform(job, lambda step, total: None))


def states(project: Project, name: str = "hunt") -> list[str]:
    return [each["state"] for each in suggestions(project, name)]


def test_the_value_of_a_suggestion_is_the_mean_over_its_seeds(project: Project) -> None:
    done = run(project, search_space(("{score: maximise}", "{score: maximise, cost: minimise}")))
    assert done.returncode == 0, done.stderr
    scores = {each["target"]: each["score"] for each in trials(project)}
    for each in suggestions(project):
        assert (each["state"], each["seeds"], len(each["targets"])) == ("finished", 2, 2)
        assert each["value.score"] == fmean(scores[target] for target in each["targets"])
        assert each["value.cost"] == each["param.branch.size"] * 100
    assert len(suggestions(project)) == 6


def test_seeds_follow_one_another_and_the_stages_of_a_trial_do_not_wait_for_one_another(project: Project) -> None:
    dispatch, search = on_machine(project, search_space(), cpus=9, parallel=1)
    seeds = []
    for _ in range(2):
        (trunk,) = jobs(dispatch)
        seeds.append(trunk.params["seed"])
        end(dispatch, trunk)
        bends = jobs(dispatch)
        assert [(job.function, job.params["turn"]) for job in bends] == [
            ("tests.tiny.experiment:bend", turn) for turn in range(3)
        ]
        for job in bends:
            end(dispatch, job)
        (total,) = jobs(dispatch)
        assert len(total.inputs["bends"]) == 3
        end(dispatch, total)
    assert seeds == [0, 1]
    assert search.counts() == (1, 0, 6)


def test_with_a_pruner_the_steps_of_a_trial_follow_one_another(
    project: Project, log: Callable[[], list[list[Any]]]
) -> None:
    assert run(project, search_space(("trials: 6", "trials: 1"), more="pruner: median")).returncode == 0
    told = [(each[0], each[-1] if each[0] != "total" else len(each) - 1) for each in log()]
    one = [("bend", 0), ("total", 1), ("bend", 1), ("total", 2), ("bend", 2), ("total", 3)]
    assert told == [("grow", 0), *one, ("grow", 1), *one]


def test_as_many_suggestions_are_under_way_as_there_are_slots(project: Project) -> None:
    dispatch, search = on_machine(project, search_space(("seeds: [0, 1]", "seeds: [0]")), cpus=99, parallel=3)
    (trunk,) = jobs(dispatch)  # which all share
    assert len(search.studies[0].suggestions()) == 2  # the second one could not do without it
    end(dispatch, trunk)
    bends = jobs(dispatch)
    begun = search.studies[0].suggestions()
    assert [each.state for each in begun] == ["running"] * 3
    assert len(bends) == 3 * len({str(each.params) for each in begun})


def test_suggestions_are_asked_for_when_nothing_else_is_ready(project: Project) -> None:
    dispatch, search = on_machine(project, search_space(("seeds: [0, 1]", "seeds: [0]")), cpus=1, parallel=3)
    (trunk,) = jobs(dispatch)
    end(dispatch, trunk)
    asked = len(search.studies[0].suggestions())
    for _ in range(2):  # of several stages that are ready one fits
        (bend,) = jobs(dispatch)
        end(dispatch, bend)
    assert len(search.studies[0].suggestions()) == asked


def test_what_a_stopped_suggestion_lacks_is_not_run(project: Project, log: Callable[[], list[list[Any]]]) -> None:
    done = run(project, search_space(("trials: 6", "trials: 6"), more=MEDIAN))
    assert (done.returncode, "failed" in done.stderr) == (0, False), done.stderr
    *finished, last = suggestions(project)
    assert [each["state"] for each in finished] == ["finished"] * 5
    assert (last["state"], last["cause"]) == snapshot(("pruned", "pruned after step 1 of 3 with seed 0"))
    assert (last["seeds"], last["value.score"], len(last["targets"])) == (0, None, 1)
    assert [each[-1] for each in log() if each[0] == "bend" and each[2:4] == ["minus", 7]] == [0]
    (row,) = (each for each in trials(project) if each["target"] == last["targets"][0])
    assert (row["status"], row["cause"]) == snapshot(("pruned", "pruned after step 1 of 3 with seed 0"))
    again = run(project)
    assert (again.returncode, log()) == (0, [])
    assert suggestions(project)[-1]["state"] == "pruned"


def test_what_a_stopped_suggestion_lacks_is_run_where_another_space_needs_it(
    project: Project, log: Callable[[], list[list[Any]]]
) -> None:
    run(project, search_space(more=MEDIAN))
    log()
    project.write(LIST.format("minus", 7), "list.yaml")
    project.write("name: both\ninclude: [space.yaml, list.yaml]\n", "both.yaml")
    done = project.sweeper("run", "both.yaml", *RUN[2:])
    assert done.returncode == 0, done.stderr
    assert [each[-1] for each in log() if each[0] == "bend"] == [1, 2, 0, 1, 2]  # the rest of seed 0, all of seed 1
    assert [each["status"] for each in trials(project, "list")] == ["finished"] * 2
    assert states(project) == ["finished"] * 5 + ["pruned"]


class AfterTheThirdStep(BasePruner):
    """Stops whatever comes so far."""

    def prune(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> bool:
        return (trial.last_step or 0) >= 3


def test_a_suggestion_that_has_come_to_its_end_is_not_stopped_any_more(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeper.engine.search.study.make_pruner", lambda name, steps: AfterTheThirdStep())
    run(project, search_space(("seeds: [0, 1]", "seeds: [0]"), more="pruner: median"))
    assert states(project) == ["finished"] * 6
    run(project, search_space(more="pruner: median"))
    assert {each["cause"] for each in suggestions(project)} == {"pruned after step 3 of 3 with seed 0"}
    assert [each["seeds"] for each in suggestions(project)] == [1] * 6


def test_what_diverges_is_stopped_in_a_search_and_a_failure_in_a_list(project: Project) -> None:
    project.write(
        search_space(("[plus, minus]", "[plus, nan]"), ("[0, 7]", "[3, 3]"), more="enqueue: [{branch.kind: nan}]")
    )
    project.write(LIST.format("nan", 3), "list.yaml")
    project.write("name: both\ninclude: [space.yaml, list.yaml]\n", "both.yaml")
    assert project.sweeper("run", "both.yaml", *RUN[2:]).returncode == 1
    assert [each["status"] for each in trials(project, "list")] == ["failed"] * 2
    assert suggestions(project)[0]["state"] == "pruned"


def test_a_suggestion_whose_stages_are_there_runs_nothing(
    project: Project, log: Callable[[], list[list[Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "DRAWN", 2)
    text = search_space(("{int: [0, 7]}", "{choice: [1]}"), ("[plus, minus]", "[plus]"))
    assert run(project, text).returncode == 0
    assert Counter(each[0] for each in log()) == {"grow": 2, "bend": 6, "total": 2}
    first, *others = suggestions(project)
    assert [each["targets"] for each in others] == [first["targets"]] * 5
    assert first["seconds"] > 0
    assert [each["seconds"] for each in others] == [0] * 5
    assert len(trials(project)) == 2
    assert run(project, text.replace("name: hunt", "name: other")).returncode == 0
    assert log() == []


def test_a_name_that_is_not_asked_for_has_no_value_in_the_suggestion_and_one_in_the_trial(project: Project) -> None:
    assert run(project, CASES.replace("trials: 6", "trials: 9")).returncode == 0
    rows = {each["target"]: each for each in trials(project)}
    met = set()
    for each in suggestions(project):
        row = rows[each["targets"][0]]
        case, kind = each["param.case"], row["branch.kind"]
        met.add(case)
        assert (kind, each["param.trunk.steps"] is None, each["param.branch.size"] is None) == (
            ("plus", True, False) if case == "up" else ("minus", False, True)
        )
        assert (row["branch.size"], row["trunk.steps"]) == (
            (each["param.branch.size"], 4) if case == "up" else (2, each["param.trunk.steps"])
        )
    assert met == {"up", "down"}


def test_every_row_beside_the_search_has_all_its_suggestions_in_turn(project: Project) -> None:
    text = search_space(("search:", "axes: {trunk.steps: [2, 3]}\nsearch:"), ("trials: 6", "trials: 3"))
    dispatch, search = on_machine(project, text, cpus=1, parallel=1)
    counts = []
    while not dispatch.finished:
        if job := dispatch.next():
            end(dispatch, job)
            counts.append(tuple(len(study.suggestions()) for study in search.studies))
    assert counts[-1] == (3, 3)
    assert all(abs(one - other) <= 1 for one, other in counts)


def test_a_grid_ends_when_all_of_it_is_suggested(project: Project) -> None:
    text = search_space(("[0, 7]", "[0, 2]"), ("trials: 6", "trials: 50"), more="sampler: grid")
    assert run(project, text).returncode == 0
    assert len({(each["param.branch.kind"], each["param.branch.size"]) for each in suggestions(project)}) == 6
    assert states(project) == ["finished"] * 6
    assert run(project).returncode == 0
    assert states(project) == ["finished"] * 6


def test_what_is_enqueued_is_tried_first(project: Project) -> None:
    assert run(project, search_space(more=f"enqueue: [{BAD}, {{branch.size: 2}}]")).returncode == 0
    first, second, *_ = suggestions(project)
    assert (first["param.branch.kind"], first["param.branch.size"], second["param.branch.size"]) == ("minus", 7, 2)
    assert len(suggestions(project)) == 6


def test_a_suggestion_that_diverges_counts_as_stopped(project: Project, log: Callable[[], list[list[Any]]]) -> None:
    done = run(project, search_space(("[plus, minus]", "[plus, nan]"), more="enqueue: [{branch.kind: nan}]"))
    assert done.returncode == 0, done.stderr
    first = suggestions(project)[0]
    assert (first["state"], first["cause"]) == snapshot(("pruned", "diverged: the value is nan at step 3"))
    assert len(states(project)) == 6
    row = next(each for each in trials(project) if each["target"] == first["targets"][0])
    assert (row["status"], row["cause"]) == snapshot(("pruned", "diverged: the value is nan at step 3"))
    log()
    assert (run(project).returncode, log()) == (0, [])


def test_a_suggestion_that_fails_stays_under_way_and_the_same_command_tries_it_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run(
        project, search_space(("[plus, minus]", "[plus, bad]"), more="enqueue: [{branch.kind: bad, branch.size: 3}]")
    )
    assert done.returncode == 1
    assert "failed; run the same command again to retry them\n" in done.stderr
    assert states(project)[0] == "running"
    assert set(states(project)) == {"running", "finished"}
    before = suggestions(project)
    good = "tests.tiny.experiment.bend.body"
    monkeypatch.setattr(good, lambda run, **_: (run.output / "bent.json").write_text("7"))
    assert run(project).returncode == 0
    assert states(project) == ["finished"] * 6
    assert [each["param.branch.size"] for each in suggestions(project)] == [
        each["param.branch.size"] for each in before
    ]


def test_retry_tries_what_has_failed_and_suggests_nothing_new(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = search_space(("[plus, minus]", "[plus, bad]"), more="enqueue: [{branch.kind: bad, branch.size: 3}]")
    assert run(project, text).returncode == 1
    project.write(text.replace("trials: 6", "trials: 9"))
    monkeypatch.setattr("tests.tiny.experiment.bend.body", lambda run, **_: (run.output / "bent.json").write_text("7"))
    assert project.sweeper("retry", "hunt", "--executor", "inline").returncode == 0
    assert states(project) == ["finished"] * 6


def test_no_more_than_three_suggestions_are_made_that_fail_one_after_the_other(project: Project) -> None:
    text = search_space(("[plus, minus]", "[bad]"))
    for _ in range(2):
        assert run(project, text).returncode == 1
        assert states(project) == ["running"] * 3


def test_an_objective_that_no_run_measures_is_told_at_the_first_one_and_nothing_is_lost(
    project: Project, log: Callable[[], list[list[Any]]]
) -> None:
    done = run(project, search_space(("score: max", "beauty: max")))
    assert done.returncode == 1
    label = trials(project)[0]["trial"]
    assert done.stderr.endswith(
        f"error: the objective beauty was not measured in the run {label}: name one that is measured\n"
        "  fix: fix that, then run the same command again to resume\n"
    )
    assert len(log()) == 5
    assert [each["status"] for each in trials(project)] == ["finished"]
    again = run(project)
    assert (again.returncode, log()) == (1, [])
    assert "the objective beauty was not measured" in again.stderr
    first = suggestions(project)[0]
    text = search_space(
        more=f"enqueue: [{{branch.kind: {first['param.branch.kind']}, branch.size: {first['param.branch.size']}}}]"
    )
    assert run(project, text).returncode == 0  # another study, which finds that run
    assert suggestions(project)[0]["targets"][0] == first["targets"][0]


def execute(project: Project, text: str) -> Finished:
    """A run without what the command line says of it."""
    project.write(text)
    runs = project.path / "runs"
    options = Options(runs, Place(str(runs / "store")), executor="inline", tracker=None)
    return run_sweep(load_sweep(project.path / "space.yaml"), options, Console(quiet=True))


def test_a_space_that_refuses_everything_says_why_before_long(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suggesting, "REFUSALS", 5)
    finished = execute(project, search_space(("[0, 7]", "[9, 9]")))
    assert (finished.state, finished.trials, finished.results) == ("lost", 0, [])
    assert finished.note == snapshot(
        "5 suggestions were refused one after the other, the last one: branch.size: 9 is one too many"
    )


def test_suggestions_that_are_refused_do_not_count(project: Project) -> None:
    text = search_space(
        ("[0, 7]", "[7, 10]"), ("trials: 6", "trials: 2"), ("search:", "where: branch.size != 10\nsearch:")
    )
    finished = execute(project, text)
    assert (finished.state, finished.failed) == ("finished", 0)
    found = suggestions(project)
    refused = [each for each in found if each["state"] == "failed"]
    assert Counter(each["state"] for each in found)["finished"] == 2
    assert {each["param.branch.size"]: each["cause"] for each in refused}.items() <= {
        8: "branch.size: 8 is not to be had here",
        9: "branch.size: 9 is one too many",
        10: "where excludes the suggestion",
    }.items()
    assert refused
    assert all((each["seeds"], each["targets"]) == (0, []) for each in refused)


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_after_the_timeout_nothing_is_suggested_and_what_was_begun_is_finished(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = search_space(more="timeout: 0.001s")
    assert execute(project, late).trials == 0
    with monkeypatch.context() as once:
        once.setattr("sweeper.engine.executors.inline.perform", interrupt)
        assert execute(project, search_space()).state == "interrupted"
    finished = execute(project, late)
    assert (finished.state, finished.trials) == ("finished", 2)
    assert states(project) == ["finished"]
    assert execute(project, search_space()).state == "finished"
    assert states(project) == ["finished"] * 6


def test_more_suggestions_go_on_where_the_search_has_ended(
    project: Project, log: Callable[[], list[list[Any]]]
) -> None:
    run(project, search_space(("trials: 6", "trials: 4")))
    before = suggestions(project)
    assert run(project, search_space(("trials: 6", "trials: 7"))).returncode == 0
    after = suggestions(project)
    assert len({each["number"] for each in after}) == 7
    assert [each["targets"] for each in after[:4]] == [each["targets"] for each in before]
    whole = Project(project.path / "whole")
    whole.path.mkdir()
    run(whole, search_space(("trials: 6", "trials: 7")))
    assert [each["targets"] for each in suggestions(whole)] == [each["targets"] for each in after]


def test_a_search_interrupted_between_any_two_stages_suggests_as_if_it_never_was(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = search_space(("trials: 6", "trials: 9"), more="pruner: median")
    whole = Project(project.path / "whole")
    whole.path.mkdir()
    assert run(whole, text).returncode == 0

    def lives() -> Iterator[int]:
        yield from (1, 3, 2, 9, 14)
        while True:
            yield 10**9

    left = lives()
    while True:
        stages = iter(range(next(left)))

        def some(*given: Any, stages: Iterator[int] = stages) -> Any:
            return perform(*given) if next(stages, None) is not None else interrupt()

        with monkeypatch.context() as once:
            once.setattr("sweeper.engine.executors.inline.perform", some)
            if run(project, text).returncode == 0:
                break
    told = ("number", "state", "cause", "value.score", "targets", "param.branch.kind", "param.branch.size")
    assert [[each[name] for name in told] for each in suggestions(project)] == [
        [each[name] for name in told] for each in suggestions(whole)
    ]


def test_the_study_that_optuna_shows_is_that_of_the_results(project: Project) -> None:
    run(project, search_space())
    storage = RunsDirectory(project.path / "runs").studies_uri
    (name,) = optuna.get_all_study_names(storage)
    shown = optuna.load_study(study_name=name, storage=storage).get_trials(states=[TrialState.COMPLETE])
    rows = suggestions(project)
    assert [each.values for each in shown] == [[each["value.score"]] for each in rows]
    assert [each.params["branch.size"] for each in shown] == [each["param.branch.size"] for each in rows]


def test_a_storage_that_cannot_be_used_is_told(project: Project) -> None:
    done = run(project, search_space(), "--optuna-storage", "sqlite:////nowhere/at/all.db")
    assert done.returncode == 2
    assert done.stderr == snapshot("""\
error: the study's storage sqlite:////nowhere/at/all.db cannot be used: (sqlite3.OperationalError) unable to open database file
  fix: check --optuna-storage; by default it is a file in --runs
""")


def test_a_stage_of_a_search_that_fits_on_no_node_is_refused_before_anything_runs(project: Project) -> None:
    project.write(search_space() + "resources: {bend: {cpus: 64}}\n")
    graph = Graph.of(load_sweep(project.path / "space.yaml"))
    executor = InlineExecutor()
    executor.nodes = [Resources(2, 0.0, 2**34)]
    with pytest.raises(SweeperError) as error:
        list(misfits(graph, {}, executor))
    assert error.value.message == snapshot(
        "stage bend asks for 64 CPU, and the largest node has 2 CPU, 16.0 GiB of memory"
    )
