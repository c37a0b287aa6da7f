"""Drive a search: turn suggestions into trials, report their numbers to the study, ask for the next ones.

Whoever runs stages asks which ones are wanted next. Nothing is kept here that the study and the store do not know: a
driver that is killed at any moment leaves a search that goes on.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from statistics import fmean

from sweeper.engine.dispatch import Halted
from sweeper.engine.search.study import Study, Suggestion
from sweeper.errors import SweeperError
from sweeper.planning.cost import costs
from sweeper.planning.graph import Graph, Plan, collect
from sweeper.records.writer import read_metrics
from sweeper.space.repeat import told
from sweeper.space.search import SearchSpace
from sweeper.space.trials import Trial
from sweeper.store.base import Damaged, Store
from sweeper.store.failures import Kind
from sweeper.trainable.stage import Stage

FAILURES = 3
"""Consecutive failed suggestions after which no more are made: then the suggestions are not the cause."""
REFUSALS = 1000
"""Consecutive suggestions refused by the space or the config after which the search gives up."""


@dataclass
class InFlightTrial:
    """A suggestion in flight: its trials run one after the other, each step by step."""

    study: int
    suggestion: Suggestion
    trials: Sequence[Trial]
    steps: Sequence[Stage] = ()
    """Stages with the intermediate numbers of the current trial; the last one is its end."""
    trial: int = -1
    step: int = 0
    is_wanted: bool = False
    """True if the current stage was requested."""
    values: list[Sequence[float]] = field(default_factory=list)
    """Values of the objectives, by finished trial."""

    @property
    def stage(self) -> Stage:
        """The stage that the suggestion waits for."""
        return self.steps[self.step]

    @property
    def is_at_end(self) -> bool:
        """True if the current stage is the last one of its trial."""
        return self.step == len(self.steps) - 1

    @property
    def is_at_very_end(self) -> bool:
        """True if it is the last stage of the last trial: stopping there saves nothing."""
        return self.is_at_end and self.trial == len(self.trials) - 1


class SearchDriver:
    """The search of one space, over all its studies.

    Args:
        graph: the sweep; trials are added as they are suggested.
        plan: the space's.
        studies: one for every point of the grid beside the search.
        store: where numbers are read from.
        anew: whether there are to be new suggestions beside those that were left.
    """

    def __init__(self, graph: Graph, plan: Plan, studies: Sequence[Study], store: Store, *, anew: bool) -> None:
        if plan.space.searched is None:
            raise TypeError(f"{plan.space.name} is not searched")
        self.plan = plan
        self.searched: SearchSpace = plan.space.searched
        self.studies = studies
        self.targets: dict[tuple[int, int], list[str]] = {}
        """Keys of the last stages of the trials that were begun, by study and number of the suggestion."""
        self.failed: dict[str, str] = {}
        """Causes by key of the last stages of trials that failed."""
        self._graph = graph
        self._store = store
        self._in_flight: list[InFlightTrial] = []
        self._left: list[tuple[int, Suggestion]] = []
        """Suggestions of an earlier driver that are not resumed yet."""
        self._counts = [0] * len(studies)
        """Number of suggestions of every study, without refused ones."""
        self._tried = [0] * len(studies)
        self._ended = {"finished": 0, "pruned": 0}
        self._refused = self._failed = 0
        self._anew = anew
        self._until = time.monotonic() + (self.searched.asked.timeout or math.inf)
        for study, _ in enumerate(studies):
            self._take_over(study)

    @property
    def is_over(self) -> bool:
        """True if nothing is in flight, left over or still to be suggested."""
        return not self._in_flight and not self._left and self._next_study() is None

    @property
    def under_way(self) -> int:
        """See `sweeper.engine.dispatch.Search`."""
        return len(self._in_flight)

    def counts(self) -> tuple[int, int, int]:
        """Count the suggestions of all studies: ended, stopped among these, and wanted in total."""
        return sum(self._ended.values()), self._ended["pruned"], self.searched.asked.trials * len(self.studies)

    def begin(self, parallel: int) -> bool:
        """See `sweeper.engine.dispatch.Search`: one that an earlier driver left, or a new one.

        Raises Halted when nothing but refused ones is suggested.
        """
        if len(self._in_flight) >= parallel or self._failed >= FAILURES:
            return False
        while (found := self._next()) is not None:
            if current := self._start(*found):
                self._in_flight.append(current)
                return True
        return False

    def wanted(self, done: Collection[str], failed: Mapping[str, str], kinds: Mapping[str, Kind]) -> Iterator[Stage]:
        """See `sweeper.engine.dispatch.Search`. Raises Halted where a number is missing that the search needs."""
        for current in list(self._in_flight):
            while current in self._in_flight and self._has(current, done):
                self._reached(current)
            if current not in self._in_flight:
                continue
            if current.stage.key in failed:
                self._end_failed(current, failed[current.stage.key], kinds)
            elif not current.is_wanted:
                current.is_wanted = True
                yield current.stage

    def _take_over(self, study: int) -> None:
        """Take in what earlier drivers have done."""
        for each in self.studies[study].suggestions():
            if each.state != "waiting":
                self._tried[study] += 1
            if each.state == "running":
                self._left.append((study, self.studies[study].go_on(each.number)))
                self._counts[study] += 1
            elif each.state in ("finished", "pruned"):
                self._counts[study] += 1
                self._ended[each.state] += 1
                trials = self.searched.trials(self.studies[study].point, each.params)[: each.begun]
                targets = [self._take(study, each, trial)[-1] for trial in trials]
                if each.cause and targets:
                    self.plan.pruned[targets[-1].key] = each.cause

    def _next(self) -> tuple[int, Suggestion] | None:
        """Return a suggestion that an earlier driver left, or a new one."""
        if self._left:
            return self._left.pop(0)
        study = self._next_study()
        if study is None:
            return None
        self._tried[study] += 1
        self._counts[study] += 1
        return study, self.studies[study].ask()

    def _next_study(self) -> int | None:
        """Return the study with the fewest suggestions among those that need more."""
        asked = self.searched.asked
        if not self._anew or time.monotonic() > self._until:
            return None
        open_ones = [study for study, count in enumerate(self._counts) if count < asked.trials]
        if asked.sampler == "grid":
            open_ones = [study for study in open_ones if self._is_beyond(study, self._tried[study])]
        return min(open_ones, key=self._counts.__getitem__, default=None)

    def _is_beyond(self, study: int, count: int) -> bool:
        """Check whether a grid has more than so many points."""
        return next(islice(self.searched.all(self.studies[study].point), count, None), None) is not None

    def _start(self, study: int, suggestion: Suggestion) -> InFlightTrial | None:
        """Start a suggestion; return None for one that is refused, which is reported to the study."""
        try:
            trials = self.searched.trials(self.studies[study].point, suggestion.params)
            current = InFlightTrial(study, suggestion, trials)
            self._begin_trial(current)
        except SweeperError as error:
            self.studies[study].refuse(suggestion.number, error.message)
            self._counts[study] -= 1
            self._refused += 1
            if self._refused >= REFUSALS:
                message = f"{REFUSALS:,} suggestions were refused one after the other, the last one: {error.message}"
                raise Halted(message) from None
            return None
        self._refused = 0
        return current

    def _begin_trial(self, current: InFlightTrial) -> None:
        current.steps = self._take(current.study, current.suggestion, current.trials[current.trial + 1])
        current.trial, current.step, current.is_wanted = current.trial + 1, 0, False

    def _take(self, study: int, suggestion: Suggestion, trial: Trial) -> Sequence[Stage]:
        """Add a trial to the plan, and return its steps: with a pruner those on the way, which then run in order."""
        trainable = self.searched.start.trainable
        make = trainable.steps_of if self.searched.asked.pruner else lambda config: [trainable.run(config)]
        steps: Sequence[Stage] = trial.origins.attempt(partial(make, trial.config))
        self._graph.add(self.plan, trial, steps)
        self.targets.setdefault((study, suggestion.number), []).append(steps[-1].key)
        return steps

    def _has(self, current: InFlightTrial, done: Collection[str]) -> bool:
        """Check whether the current stage is done; the store is read once for it."""
        return current.stage.key in done or (not current.is_wanted and self._store.has(current.stage.key))

    def _reached(self, current: InFlightTrial) -> None:
        """Report the numbers of the current stage, then stop, or move on to the next step, trial, or the end."""
        study, number = self.studies[current.study], current.suggestion.number
        values = self._values(current)
        if self._is_stopped(current, values):
            steps, repeats = len(current.steps), told(current.trials[current.trial].repeats)
            cause = f"pruned after step {current.step + 1} of {steps} with {repeats}"
            if not current.is_at_end:
                self.plan.pruned[current.steps[-1].key] = cause
            study.stop(number, cause, current.trial + 1)
            self._end(current, "pruned")
        elif not current.is_at_end:
            current.step, current.is_wanted = current.step + 1, False
        else:
            current.values.append([self._known(current, each) for each in values.items()])
            if current.trial + 1 < len(current.trials):
                self._begin_trial(current)
            else:
                study.finish(number, [fmean(each) for each in zip(*current.values, strict=True)], len(current.trials))
                self._end(current, "finished")

    def _is_stopped(self, current: InFlightTrial, values: Mapping[str, float | None]) -> bool:
        """Report a value and ask the pruner, unless an earlier driver has continued after it."""
        pruner = self.searched.asked.pruner
        (value, *_) = values.values()
        if pruner is None or value is None or (pruner == "wilcoxon" and not current.is_at_end):
            return False
        step = current.trial if pruner == "wilcoxon" else current.trial * len(current.steps) + current.step + 1
        study, reported = self.studies[current.study], current.suggestion.reported
        if step in reported and step < max(reported):
            return False
        if step not in reported:
            study.report(current.suggestion.number, step, value)
        return not current.is_at_very_end and study.should_stop(current.suggestion.number)

    def _values(self, current: InFlightTrial) -> dict[str, float | None]:
        """Return the objectives at the current stage."""
        trial, stages = current.trials[current.trial], collect(current.stage, {})
        try:
            found = {**read_metrics(self._store, current.stage.key), **trial.facts}
        except Damaged:
            message = f"the result of {trial.label} is damaged; run the same command again to recompute it"
            raise Halted(message) from None
        trainable, objectives = self.searched.start.trainable, self.searched.asked.objectives
        if not trainable.costs.keys().isdisjoint(objectives):
            found |= next(costs(trainable, [stages], self._store.manifests(stages)))
        return {name: found.get(name) for name in objectives}

    def _known(self, current: InFlightTrial, named: tuple[str, float | None]) -> float:
        name, value = named
        if value is None or not math.isfinite(value):
            what = "was not measured" if value is None else f"is {value}"
            trial = current.trials[current.trial].label
            raise Halted(f"the objective {name} {what} in the run {trial}: name one that is measured")
        return value

    def _end_failed(self, current: InFlightTrial, cause: str, kinds: Mapping[str, Kind]) -> None:
        """A run that diverged shows that its suggestion is bad; with any other failure it stays under way, for the same
        command to try again."""
        if any(kinds.get(key) == "diverged" for key in collect(current.stage, {})):
            self.plan.pruned[current.steps[-1].key] = f"diverged: {cause}"
            self.studies[current.study].stop(current.suggestion.number, f"diverged: {cause}", current.trial + 1)
            self._end(current, "pruned")
        else:
            self._in_flight.remove(current)
            self.failed[current.steps[-1].key] = cause
            self._failed += 1

    def _end(self, current: InFlightTrial, state: str) -> None:
        self._in_flight.remove(current)
        self._ended[state] += 1
        self._failed = 0
