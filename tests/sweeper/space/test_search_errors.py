"""What a user sees who made a mistake in a search: exact text, exit code 2, nothing started, nothing written."""

import pytest
from inline_snapshot import Snapshot, snapshot

from tests.project import Project
from tests.sweeper.search_spaces import CASES, search_space

KIND, SIZE = "branch.kind: {choice: [plus, minus]}", "branch.size: {int: [0, 7]}"


def size(distribution: str, name: str = "branch.size") -> str:
    """A space that searches a number so."""
    return search_space((SIZE, f"{name}: {{{distribution}}}"))


def pause(distribution: str) -> str:
    """A space that searches a number that is not whole."""
    return size(distribution, "trunk.pause")


def beside(text: str) -> str:
    """A space that says more than what it searches."""
    return search_space(("search:", f"{text}\nsearch:"))


MISTAKES = {
    "empty choice": (
        search_space(("[plus, minus]", "[]")),
        snapshot("""\
error: space.yaml:7:27: search.distributions.branch.kind.choice is empty
  fix: give it at least one value, or remove it
"""),
    ),
    "bounds the wrong way round": (
        size("int: [7, 0]"),
        snapshot("""\
error: space.yaml:8:24: branch.size: the bounds of int are reversed: 7 is greater than 0
  fix: give the lower bound first
"""),
    ),
    "bounds that are no whole numbers": (
        size("int: [0, 7.5]"),
        snapshot("""\
error: space.yaml:8:28: search.distributions.branch.size.int.1: expected a valid integer, got a number with a fractional part, got 7.5
  fix: int: the smallest and the largest whole number
"""),
    ),
    "logarithm of zero": (
        pause("log_uniform: [0, 0.1]"),
        snapshot("""\
error: space.yaml:8:33: trunk.pause: a logarithmic range cannot start at 0
  fix: use bounds above 0, or uniform
"""),
    ),
    "bounds without an end": (
        pause("uniform: [0, .inf]"),
        snapshot("""\
error: space.yaml:8:28: trunk.pause: the bounds of uniform must be finite, got 0 and inf
  fix: give two finite numbers
"""),
    ),
    "bounds that are no numbers": (
        pause("uniform: [.nan, 1]"),
        snapshot("""\
error: space.yaml:8:28: trunk.pause: the bounds of uniform must be finite, got nan and 1
  fix: give two finite numbers
"""),
    ),
    "two distributions of a name": (
        size("int: [0, 7], choice: [1]"),
        snapshot("""\
error: space.yaml:8:5: branch.size has both choice and int
  fix: use one of choice, int, uniform, log_uniform
"""),
    ),
    "no distribution of a name": (
        size("step: 2"),
        snapshot("""\
error: space.yaml:8:5: branch.size has no distribution
  fix: use one of choice, int, uniform, log_uniform
"""),
    ),
    "unknown distribution": (
        size("integer: [0, 7]"),
        snapshot("""\
error: space.yaml:8:19: unknown key 'integer'
  fix: did you mean int?
"""),
    ),
    "bounds without a distribution": (
        search_space((SIZE, "branch.size: [0, 7]")),
        snapshot("""\
error: space.yaml:8:18: search.distributions.branch.size: expected a mapping of names to values, got [0, 7]
  fix: distributions: a distribution per dotted name or case, such as {lr: {log_uniform: [1e-4, 1e-1]}}
"""),
    ),
    "step of a choice": (
        size("choice: [1, 2], step: 1"),
        snapshot("""\
error: space.yaml:8:35: branch.size: choice does not take a step
  fix: remove the step
"""),
    ),
    "step of a logarithm": (
        pause("log_uniform: [0.1, 1], step: 0.1"),
        snapshot("""\
error: space.yaml:8:42: trunk.pause: log_uniform does not take a step
  fix: remove the step
"""),
    ),
    "step of whole numbers that is none": (
        size("int: [0, 7], step: 1.5"),
        snapshot("""\
error: space.yaml:8:38: branch.size: the step of int must be a whole number, got 1.5
  fix: use a step such as 2
"""),
    ),
    "no step at all": (
        size("int: [0, 7], step: 0"),
        snapshot("""\
error: space.yaml:8:38: search.distributions.branch.size.step: expected greater than 0, got 0
  fix: step: the distance between values of int or uniform
"""),
    ),
    "choice given twice": (
        search_space(("[plus, minus]", "[plus, plus]")),
        snapshot("""\
error: space.yaml:7:34: branch.kind: 'plus' is given twice
  fix: remove one
"""),
    ),
    "choice that is no number": (
        pause("choice: [0, .nan]"),
        snapshot("""\
error: space.yaml:8:31: trunk.pause: nan is not finite
  fix: remove it
"""),
    ),
    "choice that the config refuses": (
        search_space(("[plus, minus]", "[plus, sideways]")),
        snapshot("""\
error: space.yaml:7:34: branch.kind: expected 'plus', 'minus', 'bad' or 'nan', got 'sideways'
  fix: branch.kind: what the branch does, plus in preset small
"""),
    ),
    "largest number that the config refuses": (
        size("int: [0, 30]"),
        snapshot("""\
error: space.yaml:8:28: branch.size: expected less than or equal to 10, got 30
  fix: branch.size: how much, 1 in preset small
"""),
    ),
    "least number that the config refuses": (
        size("int: [-1, 7]"),
        snapshot("""\
error: space.yaml:8:25: branch.size: expected greater than or equal to 0, got -1
  fix: branch.size: how much, 1 in preset small
"""),
    ),
    "numbers for a whole number": (
        size("uniform: [0.5, 7]"),
        snapshot("""\
error: space.yaml:8:29: branch.size: expected a valid integer, got a number with a fractional part, got 0.5
  fix: branch.size: how much, 1 in preset small
"""),
    ),
    "nothing searched": (
        search_space((f"\n    {KIND}\n    {SIZE}", " {}")),
        snapshot("""\
error: space.yaml:6:18: search.distributions is empty
  fix: give it at least one value, or remove it
"""),
    ),
    "unknown sampler": (
        search_space(more="sampler: tpee"),
        snapshot("""\
error: space.yaml:11:12: search.sampler: expected 'tpe', 'gp', 'nsga2', 'random', 'grid' or 'qmc', got 'tpee'
  fix: sampler: one of tpe, gp, nsga2, random, grid or qmc
"""),
    ),
    "unknown pruner": (
        search_space(more="pruner: medium"),
        snapshot("""\
error: space.yaml:11:11: search.pruner: expected 'median', 'hyperband', 'successive_halving' or 'wilcoxon', got 'medium'
  fix: pruner: early stopping by median, hyperband, successive_halving or wilcoxon (over seeds)
"""),
    ),
    "objective that no run has": (
        search_space(("score: max", "scoer: max")),
        snapshot("""\
error: space.yaml:9:16: unknown objective 'scoer'
  fix: did you mean score?
"""),
    ),
    "objective that no stage reports": (
        search_space(("score: max", "charm: max")),
        snapshot("""\
error: space.yaml:9:16: no stage reports the objective 'charm'
  fix: use a reported metric: beauty, score
"""),
    ),
    "objective that depends on other trials": (
        search_space(("score: max", "seconds_saved: max")),
        snapshot("""\
error: space.yaml:9:16: 'seconds_saved' cannot be an objective
  fix: it depends on other trials; use seconds
"""),
    ),
    "objective wanted the worse way": (
        search_space(("maximise", "minimise")),
        snapshot("""\
error: space.yaml:9:16: objective score: higher is better, but the space says minimise
  fix: score: maximise
"""),
    ),
    "cost wanted the worse way": (
        search_space(("score: maximise", "seconds.branches: maximize")),
        snapshot("""\
error: space.yaml:9:16: objective seconds.branches: lower is better, but the space says maximise
  fix: seconds.branches: minimise
"""),
    ),
    "objective wanted in no way": (
        search_space(("maximise", "max")),
        snapshot("""\
error: space.yaml:9:23: search.objectives.score: expected 'maximise' or 'minimise', got 'max'
  fix: objectives: facts, metrics or costs to maximise or minimise, such as {la: maximise}
"""),
    ),
    "no objective": (
        search_space(("  objectives: {score: maximise}\n", "")),
        snapshot("""\
error: space.yaml:6:3: 'objectives' is missing
  fix: add it: facts, metrics or costs to maximise or minimise, such as {la: maximise}
"""),
    ),
    "pruner of two objectives": (
        search_space(("{score: maximise}", "{score: maximise, cost: minimise}"), more="pruner: median"),
        snapshot("""\
error: space.yaml:11:11: a pruner needs one objective, but the space has 2
  fix: remove the pruner, or all objectives but one
"""),
    ),
    "wilcoxon of few seeds": (
        search_space(more="pruner: wilcoxon"),
        snapshot("""\
error: space.yaml:11:11: pruner wilcoxon compares seeds, and 2 are too few to prune before the last one
  fix: use at least 5 seeds, or pruner median
"""),
    ),
    "grid of a continuum": (
        search_space((SIZE, "trunk.pause: {uniform: [0, 0.1]}"), more="sampler: grid"),
        snapshot("""\
error: space.yaml:8:18: sampler grid needs finite choices, but trunk.pause has numbers from 0 to 0.1
  fix: give it a choice or a step, or use another sampler
"""),
    ),
    "grid of more than can be gone through": (
        search_space((SIZE, "trunk.pause: {uniform: [0, 0.1], step: 1e-7}"), more="sampler: grid"),
        snapshot("""\
error: space.yaml:8:18: sampler grid needs finite choices, but trunk.pause has numbers from 0 to 0.1 in steps of 1e-07
  fix: give it a choice or a step, or use another sampler
"""),
    ),
    "condition on a name of further down": (
        search_space(("[plus, minus]}", '[plus, minus], when: "branch.size > 1"}')),
        snapshot("""\
error: space.yaml:7:48: when: 'branch.size' is suggested after branch.kind
  fix: list branch.size before branch.kind
"""),
    ),
    "condition on the name itself": (
        size('int: [0, 7], when: "branch.size > 1"'),
        snapshot("""\
error: space.yaml:8:38: when: 'branch.size' cannot depend on itself
  fix: refer to other names
"""),
    ),
    "condition on an unknown name": (
        size("int: [0, 7], when: \"branch.knid == 'plus'\""),
        snapshot("""\
error: space.yaml:8:38: when: unknown name 'branch.knid'
  fix: did you mean branch.kind?
"""),
    ),
    "condition on the seed": (
        size('int: [0, 7], when: "seed > 0"'),
        snapshot("""\
error: space.yaml:8:38: when: unknown name 'seed'
  fix: known: trunk.steps, trunk.pause, branch.kind, branch.size, remark
"""),
    ),
    "condition on cases that there are not": (
        size("int: [0, 7], when: \"case == 'up'\""),
        snapshot("""\
error: space.yaml:8:38: when: unknown name 'case'
  fix: add cases to the space, or use another name
"""),
    ),
    "condition that is none": (
        size('int: [0, 7], when: "branch.kind =="'),
        snapshot("""\
error: space.yaml:8:38: when: not an expression
  fix: compare names and values, such as adapter.ratio == 1 or adapter.layers in ['0-64', '40-54']
"""),
    ),
    "condition of text and a number": (
        size('int: [0, 7], when: "branch.kind > 1"'),
        snapshot("""\
error: space.yaml:8:38: when: '>' not supported between instances of 'str' and 'int'
  fix: compare values of the same type; here branch.kind is 'plus'
"""),
    ),
    "condition that has no answer for the largest value": (
        search_space(
            (SIZE, 'branch.size: {choice: [1, 2]}\n    remark: {choice: [a], when: "branch.size < 2 or trunk.steps"}')
        ),
        snapshot("""\
error: space.yaml:9:33: when: expected true or false, got 5
  fix: compare values of the same type; here branch.size is 2, trunk.steps is 5
"""),
    ),
    "condition that is no truth": (
        size('int: [0, 7], when: "trunk.steps"'),
        snapshot("""\
error: space.yaml:8:38: when: expected true or false, got 5
  fix: compare values of the same type; here trunk.steps is 5
"""),
    ),
    "condition of the case": (
        CASES.replace("[up, down]}", '[up, down], when: "trunk.steps > 1"}'),
        snapshot("""\
error: space.yaml:8:38: when: case cannot have a condition
  fix: remove when
"""),
    ),
    "name both searched and fixed": (
        beside("fixed: {branch.size: 2}"),
        snapshot("""\
error: space.yaml:9:5: 'branch.size' is both searched and fixed
  fix: remove one of the two, or restrict its search with when:
"""),
    ),
    "name both searched and in a case": (
        beside("cases: {big: {branch.size: 7}}"),
        snapshot("""\
error: space.yaml:9:5: 'branch.size' is both searched and in case big
  fix: remove one of the two, or restrict its search with when:
"""),
    ),
    "name both searched and an axis": (
        beside("axes: {branch.size: [2, 3]}"),
        snapshot("""\
error: space.yaml:9:5: 'branch.size' is both searched and an axis
  fix: remove one of the two
"""),
    ),
    "name both searched and in a group": (
        beside("zip: [{branch.size: [2, 3], trunk.steps: [3, 4]}]"),
        snapshot("""\
error: space.yaml:9:5: 'branch.size' is both searched and in zip
  fix: remove one of the two
"""),
    ),
    "unknown name": (
        search_space(("branch.size", "branch.sise")),
        snapshot("""\
error: space.yaml:8:5: unknown name 'branch.sise'
  fix: did you mean branch.size?
"""),
    ),
    "part of the config": (
        size("choice: [1]", "branch"),
        snapshot("""\
error: space.yaml:8:5: unknown name 'branch'
  fix: did you mean branch.size or branch.kind?
"""),
    ),
    "seed": (
        search_space(("branch.size", "seed")),
        snapshot("""\
error: space.yaml:8:5: 'seed' is already set by seeds
  fix: remove it: results are averaged over seeds
"""),
    ),
    "case of a space without cases": (
        search_space(("branch.kind: {choice: [plus, minus]}", "case: {choice: [up, down]}")),
        snapshot("""\
error: space.yaml:7:5: unknown name 'case'
  fix: add cases to the space
"""),
    ),
    "unknown case": (
        CASES.replace("[up, down]", "[up, dwon]"),
        snapshot("""\
error: space.yaml:8:25: unknown case 'dwon'
  fix: did you mean down?
"""),
    ),
    "case that is a list": (
        CASES.replace("[up, down]", "[up, [down]]"),
        snapshot("""\
error: space.yaml:8:25: unknown case '['down']'
  fix: did you mean down?
"""),
    ),
    "whole numbers for the case": (
        CASES.replace("{choice: [up, down]}", "{int: [0, 1]}"),
        snapshot("""\
error: space.yaml:8:18: unknown case '0'
  fix: known: up, down
"""),
    ),
    "enqueued number that is never suggested": (
        search_space(more="enqueue: [{branch.kind: plus}, {branch.size: 9}]"),
        snapshot("""\
error: space.yaml:11:48: enqueue: 9 is outside the distribution of branch.size
  fix: use whole numbers from 0 to 7
"""),
    ),
    "enqueued fraction of whole numbers": (
        search_space(more="enqueue: [{branch.size: 1.5}]"),
        snapshot("""\
error: space.yaml:11:27: enqueue: 1.5 is outside the distribution of branch.size
  fix: use whole numbers from 0 to 7
"""),
    ),
    "enqueued number between two steps": (
        search_space((SIZE, "branch.size: {int: [1, 7], step: 2}"), more="enqueue: [{branch.size: 4}]"),
        snapshot("""\
error: space.yaml:11:27: enqueue: 4 is outside the distribution of branch.size
  fix: use whole numbers from 1 to 7 in steps of 2
"""),
    ),
    "enqueued value that is no choice": (
        search_space(more="enqueue: [{branch.kind: bad}]"),
        snapshot("""\
error: space.yaml:11:27: enqueue: bad is outside the distribution of branch.kind
  fix: use one of plus, minus
"""),
    ),
    "enqueued name that is not searched": (
        search_space(more="enqueue: [{branch.sizes: 2}]"),
        snapshot("""\
error: space.yaml:11:14: enqueue: 'branch.sizes' is not searched
  fix: did you mean branch.size?
"""),
    ),
    "enqueued values without a list": (
        search_space(more="enqueue: {branch.size: 2}"),
        snapshot("""\
error: space.yaml:11:12: search.enqueue: expected a valid list
  fix: enqueue: values by name to try first; names left out are drawn
"""),
    ),
    "baseline": (
        beside("axes: {trunk.steps: [2, 3]}\nbaseline: {trunk.steps: 2}"),
        snapshot("""\
error: space.yaml:6:1: a space with a search cannot have a baseline
  fix: remove the baseline, or replace the search by axes
"""),
    ),
    "reference of no objective": (
        search_space(more="reference: {scor: 2}"),
        snapshot("""\
error: space.yaml:11:15: reference: no objective 'scor'
  fix: did you mean score?
"""),
    ),
    "reference that is no number": (
        search_space(more="reference: {score: .inf}"),
        snapshot("""\
error: space.yaml:11:22: search.reference.score: expected a finite number, got inf
  fix: reference: the reference point of the hypervolume by objective; by default the worst value found
"""),
    ),
    "no suggestions": (
        search_space(("trials: 6", "trials: 0")),
        snapshot("""\
error: space.yaml:10:11: search.trials: expected greater than or equal to 1, got 0
  fix: trials: the total number of suggestions, each run with all seeds
"""),
    ),
    "how many is not said": (
        search_space(("  trials: 6\n", "")),
        snapshot("""\
error: space.yaml:6:3: 'trials' is missing
  fix: add it: the total number of suggestions, each run with all seeds
"""),
    ),
    "time that is none": (
        search_space(more="timeout: soon"),
        snapshot("""\
error: space.yaml:11:12: search.timeout: expected a time such as 90 min or 2h, got 'soon'
  fix: timeout: a time such as 90 min or 2h, after which no new suggestion starts; running ones finish
"""),
    ),
    "time of nothing": (
        search_space(more="timeout: 0 min"),
        snapshot("""\
error: space.yaml:11:12: search.timeout: expected a time such as 90 min or 2h, got '0 min'
  fix: timeout: a time such as 90 min or 2h, after which no new suggestion starts; running ones finish
"""),
    ),
    "unknown key": (
        search_space(("trials:", "trails:")),
        snapshot("""\
error: space.yaml:10:3: unknown key 'trails'
  fix: did you mean trials?
"""),
    ),
    "fixed value that the config refuses": (
        beside("fixed: {trunk.steps: 0}"),
        snapshot("""\
error: space.yaml:5:22: trunk.steps: expected greater than or equal to 1, got 0
  fix: trunk.steps: links of the chain, 5 in preset small
"""),
    ),
    "stage of no run": (
        search_space() + "resources: {bent: {cpus: 2}}\n",
        snapshot("""\
error: space.yaml:11:13: resources: unknown stage 'bent'
  fix: did you mean bend?
"""),
    ),
    "name of the table": (
        search_space() + "table: {rows: [trunk.stepps], columns: [score]}\n",
        snapshot("""\
error: space.yaml:11:16: table: unknown name 'trunk.stepps'
  fix: did you mean trunk.steps?
"""),
    ),
}


def check(project: Project, expected: Snapshot[str], *arguments: str) -> None:
    before = sorted(project.path.rglob("*"))
    for command in ("run", "plan"):
        done = project.sweeper(command, "space.yaml", *arguments)
        assert done.stderr == expected
        assert done.returncode == 2
        assert done.stdout == ""
    assert sorted(project.path.rglob("*")) == before


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_search(project: Project, mistake: str) -> None:
    text, expected = MISTAKES[mistake]
    project.write(text)
    check(project, expected)


def test_what_is_searched_cannot_all_be_set_on_the_command_line(project: Project) -> None:
    project.write(search_space())
    check(
        project,
        snapshot("""\
error: space.yaml:7:5: --set leaves nothing to search
  fix: remove one --set, or the search from the file
"""),
        "--set",
        "branch.kind=plus",
        "--set",
        "branch.size=2",
    )


def test_what_is_fixed_where_the_file_has_what_cannot_run_is_found_before_anything_starts(project: Project) -> None:
    project.write(beside("fixed: {branch.size: 8}").replace(SIZE, "trunk.steps: {int: [1, 3]}"))
    planned, refused = project.sweeper("plan", "space.yaml"), project.sweeper("run", "space.yaml")
    assert planned.returncode == 0
    assert refused.returncode == 2
    assert refused.stderr == snapshot("""\
error: space.yaml:5:22: branch.size: 8 is not to be had here
  fix: take 7
""")
    assert not (project.path / "runs").exists()


def test_a_name_set_on_the_command_line_is_no_longer_searched_nor_enqueued(project: Project) -> None:
    project.write(search_space(more="enqueue: [{branch.kind: minus, branch.size: 3}]"))
    done = project.sweeper("run", "space.yaml", "--executor", "inline", "--no-tracking", "--set", "branch.kind=plus")
    assert done.returncode == 0, done.stderr
    shown = project.csv("hunt-branch.kind=plus").splitlines()
    assert shown[0].startswith("branch.size,")
