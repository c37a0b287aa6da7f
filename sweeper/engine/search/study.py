"""Studies: the suggestions of a search and their results, kept by Optuna.

A study lies in ``optuna.db`` in the runs directory, or wherever ``--optuna-storage`` says, and ``optuna-dashboard``
shows it. Its name ends with a digest of all that the values of its suggestions mean: of the run that it starts from
with the versions of its stages, the distributions, objectives and seeds. With another of these it is another study.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.storages import RDBStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from sweeper.engine.search.pruners import make_pruner
from sweeper.engine.search.samplers import make_sampler
from sweeper.errors import SweeperError, first_line
from sweeper.records.layout import RunsDirectory
from sweeper.records.passwords import without_password
from sweeper.space.distribution import token, tried
from sweeper.space.search import SearchSpace, StudyPoint
from sweeper.space.search_schema import Distribution, Sense
from sweeper.space.trials import Trial

DIGEST = 8
"""Characters of the digest in a study's name."""
CAUSE, DONE, REPEATED = "cause", "seeds", "repeats"
"""Attributes of a suggestion: why it has no value, how many of its seeds were begun, and the one that it repeats."""
OWNER = "owner"
"""Attribute of a study."""
ASKED, DRAWN = 3, 20
"""Number of draws for a suggestion that is no repetition, from the sampler and then at random."""
DIRECTIONS: dict[Sense, StudyDirection] = {
    "maximise": StudyDirection.MAXIMIZE,
    "minimise": StudyDirection.MINIMIZE,
}
STATES = {
    TrialState.COMPLETE: "finished",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
}


@dataclass
class Suggestion:
    """A suggestion of a study, and its result."""

    number: int
    state: str
    """``running``, ``finished``, ``pruned``, ``failed`` (refused by the space or the config), or ``waiting``."""
    params: Mapping[str, Any]
    """Values by searched name, without inactive ones (``when``)."""
    values: Sequence[float] | None = None
    """Values of the objectives, in their order; None until it is finished."""
    cause: str | None = None
    """Reason why it has no values."""
    begun: int = 0
    """Number of seeds that were started, for an ended suggestion."""
    reported: Mapping[int, float] = field(default_factory=dict)
    """Intermediate values by step."""


class Study:
    """One study, used by a driver that may be killed at any moment.

    Args:
        searched: how the space is searched.
        point: what this study is given.
        name: of the space.
        storage: Optuna's, as an address; None keeps it in memory.
        owner: whose the study is, in a storage that several share: two drivers would take one another's suggestions
            for their own.

    Raises SweeperError where the storage cannot be used, and for a study of another owner.
    """

    def __init__(
        self, searched: SearchSpace, point: StudyPoint, name: str, storage: str | None, owner: str | None = None
    ) -> None:
        self.point = point
        self._searched = searched
        self._trials: dict[int, optuna.Trial] = {}
        asked, repeats = searched.asked, searched.start.repeats.count
        anchor = searched.anchor(point)[0]
        steps = len(searched.start.trainable.steps_of(anchor.config)) * repeats
        name = " ".join([name, *([point.label] if point.label else []), _digest(searched, anchor)])
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
        try:
            self._study = optuna.create_study(
                storage=storage and RDBStorage(storage),
                study_name=name,
                load_if_exists=True,
                directions=[DIRECTIONS[sense] for sense in asked.objectives.values()],
                sampler=make_sampler(asked.sampler, asked.seed, asked.trials, 0),
                pruner=make_pruner(asked.pruner, steps) if asked.pruner else optuna.pruners.NopPruner(),
            )
            self._study.set_metric_names(list(asked.objectives))
            self._study.set_user_attr("distributions", searched.told)
            for row in asked.enqueue:
                params = {name: token(value) for name, value in row.items()}
                self._study.enqueue_trial(params, skip_if_exists=True)
        except Exception as error:
            message = f"the study's storage {without_password(storage or '')} cannot be used: {first_line(error)}"
            raise SweeperError(message, fix="check --optuna-storage; by default it is a file in --runs") from None
        found = self._study.user_attrs.get(OWNER, owner)
        if found != owner:
            message = f"study {name} in {without_password(storage or '')} is that of {found}"
            raise SweeperError(message, fix="give the space another name, or run it there")
        if owner:
            self._study.set_user_attr(OWNER, owner)

    def suggestions(self) -> list[Suggestion]:
        """Return all suggestions so far, by number, without repetitions."""
        trials = self._study.get_trials(deepcopy=False)
        return [self._suggestion(each) for each in trials if REPEATED not in each.user_attrs]

    def go_on(self, number: int) -> Suggestion:
        """Return a suggestion that an earlier driver has left, with all its values."""
        return self._drawn(optuna.Trial(self._study, self._study.get_trials(deepcopy=False)[number]._trial_id))

    def ask(self) -> Suggestion:
        """Return the next suggestion. It depends on the seed and the suggestions before it, not on the driver.

        One that repeats another teaches nothing: it is asked for again, a few times of the sampler and then at random,
        before it is taken for what it is.
        """
        before = {_identity(each.params): each.number for each in self.suggestions() if each.params}
        for attempt in range(ASKED + DRAWN):
            found = self._drawn(self._study.ask(), at_random=attempt >= ASKED)
            number = before.get(_identity(found.params))
            if number is None:
                break
            self._trials[found.number].set_user_attr(REPEATED, number)
            self.refuse(found.number, f"repeats suggestion {number}")
        else:
            found = self._drawn(self._study.ask(), at_random=True)
        return found

    def report(self, number: int, step: int, value: float) -> None:
        """Report an intermediate value, once for every step."""
        self._trials[number].report(value, step)

    def should_stop(self, number: int) -> bool:
        """Check whether the pruner stops the suggestion after the last reported step."""
        return self._trials[number].should_prune()

    def finish(self, number: int, values: Sequence[float], begun: int) -> None:
        """Finish the suggestion with its values."""
        self._tell(number, TrialState.COMPLETE, values, None, begun)

    def stop(self, number: int, cause: str, begun: int) -> None:
        """Mark the suggestion as pruned."""
        self._tell(number, TrialState.PRUNED, None, cause, begun)

    def refuse(self, number: int, cause: str) -> None:
        """Mark the suggestion as refused."""
        self._tell(number, TrialState.FAIL, None, cause, 0)

    def importances(self) -> dict[str, dict[str, float]]:
        """Return how much each searched name explains of each objective, by fANOVA (Hutter et al. 2014).

        A name counts with its other value where it is not asked for, else Optuna would leave it out altogether. An
        objective of which nothing can be told yet, as all its values are equal, is left out.
        """
        found, completed = {}, self._completed()
        for index, objective in enumerate(self._searched.asked.objectives):
            if len({each.values[index] for each in completed.trials}) < 2:
                continue
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    found[objective] = optuna.importance.get_param_importances(
                        completed,
                        target=_value_at(index),
                        evaluator=optuna.importance.FanovaImportanceEvaluator(seed=self._searched.asked.seed),
                    )
            except (ValueError, RuntimeError):
                continue
        return found

    def _completed(self) -> optuna.Study:
        """Return the finished suggestions with a value for every name."""
        study = optuna.create_study(directions=self._study.directions)
        finished = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        known = {name: each for trial in finished for name, each in trial.distributions.items()}
        for trial in finished:
            whole = self._searched.completed(self.point, self._suggestion(trial).params)
            params = {name: token(whole[name]) for name, each in known.items() if _contains(each, token(whole[name]))}
            distributions = {name: known[name] for name in params}
            study.add_trial(optuna.create_trial(params=params, distributions=distributions, values=trial.values))
        return study

    def _drawn(self, trial: optuna.Trial, *, at_random: bool = False) -> Suggestion:
        """Draw every name, also inactive ones: where a name is missing now and then,
        TPE and GP learn nothing of it together with the others. Only a grid would go through all of them."""
        asked = self._searched.asked
        name = "random" if at_random else asked.sampler
        self._study.sampler = make_sampler(name, asked.seed, asked.trials, trial.number)
        if asked.sampler == "grid" and not at_random:
            self._searched.suggest(self.point, lambda name, given: _draw(trial, name, given))
        else:
            for each, given in self._searched.distributions.items():
                _draw(trial, each, given)
        self._trials[trial.number] = trial
        return self._suggestion(self._study.get_trials(deepcopy=False)[trial.number])

    def _tell(
        self, number: int, state: TrialState, values: Sequence[float] | None, cause: str | None, begun: int
    ) -> None:
        trial = self._trials.pop(number)
        trial.set_user_attr(DONE, begun)
        if cause:
            trial.set_user_attr(CAUSE, cause)
        self._study.tell(trial, values, state)

    def _suggestion(self, trial: FrozenTrial) -> Suggestion:
        values = trial.values if trial.state == TrialState.COMPLETE else None
        return Suggestion(
            trial.number,
            STATES[trial.state],
            self._params(trial),
            values,
            trial.user_attrs.get(CAUSE),
            trial.user_attrs.get(DONE, 0),
            dict(trial.intermediate_values),
        )

    def _params(self, trial: FrozenTrial) -> dict[str, Any]:
        """Return the active values of a suggestion; none if a killed driver has not drawn all of them."""
        try:
            return self._searched.suggest(self.point, lambda name, given: tried(given, trial.params[name]))
        except KeyError:
            return {}


def _identity(params: Mapping[str, Any]) -> str:
    """Return text that is equal for equal values."""
    return json.dumps(params, sort_keys=True)


def _value_at(index: int) -> Callable[[FrozenTrial], float]:
    return lambda trial: trial.values[index]


def _contains(given: BaseDistribution, value: Any) -> bool:
    if isinstance(given, CategoricalDistribution):
        return value in given.choices
    return isinstance(value, int | float) and given._contains(value)


def studies_of(runs: Path, space: str) -> list[str]:
    """Return the names of the studies of a space in a runs directory. No space has a blank in its name."""
    names = optuna.get_all_study_names(RunsDirectory(runs).studies_uri)
    return [name for name in names if name.partition(" ")[0] == space]


def delete_study(runs: Path, name: str) -> None:
    """Delete a study with its suggestions."""
    optuna.delete_study(study_name=name, storage=RunsDirectory(runs).studies_uri)


def _draw(trial: optuna.Trial, name: str, given: Distribution) -> Any:
    if given.choice is not None:
        return tried(given, trial.suggest_categorical(name, [token(each) for each in given.choice]))
    if given.whole:
        return trial.suggest_int(name, *given.whole, step=int(given.step or 1))
    low, high = given.log_uniform or given.uniform or (0.0, 0.0)
    drawn = trial.suggest_float(name, low, high, step=given.step, log=given.log_uniform is not None)
    return tried(given, drawn)


def _digest(searched: SearchSpace, anchor: Trial) -> str:
    """Return a digest of everything that the values of suggestions depend on."""
    said = {
        "start": searched.start.trainable.run(anchor.config).key,
        "config": anchor.config.model_dump(mode="json"),
        "cases": {case: {name: each.value for name, each in point.items()} for case, point in searched.cases.items()},
        "distributions": [[name, each.model_dump(mode="json")] for name, each in searched.distributions.items()],
        "objectives": list(searched.asked.objectives.items()),
        "where": searched.start.kept.text if searched.start.kept else None,
        "repeat": {name: list(values) for name, values in searched.start.repeats.values.items()},
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:DIGEST]
