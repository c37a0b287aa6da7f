"""What a file says of its search, checked against the trainable before anything starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from sweeper.errors import SweeperError, nearest
from sweeper.space.condition import Condition, parse_condition
from sweeper.space.distribution import check_distribution, ends, holds, told, values
from sweeper.space.document import Document
from sweeper.space.grid import CASE, Grid
from sweeper.space.schema import SpaceFile, message_of
from sweeper.space.search import SearchSpace, StudyPoint
from sweeper.space.search_schema import SearchFile
from sweeper.space.start import Start
from sweeper.space.trials import changed
from sweeper.trainable.number import Number
from sweeper.trainable.trainable import Trainable

DEPENDS_ON_OTHERS = "seconds_saved"
"""The one number of a trial that is none of its own."""
FEWEST_PAIRS = 5
"""Seeds from which on Wilcoxon's test can stop a suggestion before its last one: 4 pairs are the fewest that a
one-sided test at 0.1 can tell apart (1 / 2^4)."""


def read_search(
    document: Document, file: SpaceFile, grid: Grid, sets: Sequence[str], start: Start
) -> SearchSpace | None:
    """How the space is searched; None for one that is not.

    Args:
        document: the file.
        file: what it says.
        grid: what it overrides beside the search.
        sets: assignments of the command line; what they set is not searched.
        start: what all trials start from.

    Raises SweeperError at the place of the first thing that is wrong.
    """
    if file.search is None:
        return None
    asked = _without(document, file.search, [each.partition("=")[0] for each in sets])
    _check_names(document, asked, grid, start)
    is_case_searched = CASE in asked.distributions
    cases, beside = (grid.cases, replace(grid, cases={})) if is_case_searched else ({}, grid)
    points = [StudyPoint(row, start.origins(each)) for row, each in beside.points()]
    for name, each in asked.distributions.items():
        check_distribution(
            name, each, lambda *loc, at=name, **key: document.where("search", "distributions", at, *loc, **key)
        )
    names = [name for name in start.names if name not in start.repeats.values]
    conditions = _conditions(document, asked, grid, names)
    searched = SearchSpace(asked, points, start, cases, conditions, document.where)
    _check_values(document, searched)
    _check_conditions(searched)
    _check_objectives(document, asked, start.trainable)
    _check_ways(document, searched)
    _check_enqueued(document, asked)
    return searched


def objectives_of(trainable: Trainable) -> dict[str, Number]:
    """The numbers that may be objectives: facts, metrics and costs that are a trial's own."""
    numbers = {**trainable.known, **trainable.metrics, **trainable.costs}
    del numbers[DEPENDS_ON_OTHERS]
    return numbers


def _without(document: Document, asked: SearchFile, fixed: Sequence[str]) -> SearchFile:
    """The search without what the command line fixes. Raises SweeperError where nothing is left."""
    left = {name: each for name, each in asked.distributions.items() if name not in fixed}
    if not left:
        message, where = "--set leaves nothing to search", document.where("search", "distributions")
        raise SweeperError(message, fix="remove one of its names from the search", where=where)
    enqueue = [{name: value for name, value in row.items() if name not in fixed} for row in asked.enqueue]
    return asked.model_copy(update={"distributions": left, "enqueue": enqueue})


def _check_names(document: Document, asked: SearchFile, grid: Grid, start: Start) -> None:
    """Every searched name is one of the config, or the case, and is given nowhere else."""
    listed = {name: each.kind for each in grid.dimensions for name in each.points[0]}
    for name, each in asked.distributions.items():
        where = document.where("search", "distributions", name, key=True)
        if name in start.repeats.values:
            key = start.repeats.key(name)
            raise SweeperError(f"'{name}' is set by {key}", fix=f"remove it: results are means over {key}", where=where)
        if name not in start.names and not (name == CASE and grid.cases):
            known = [*start.names, *([CASE] if grid.cases else [])]
            fix = "add cases to the space" if name == CASE else nearest(name, known)
            raise SweeperError(f"unknown name '{name}'", fix=fix, where=where)
        if name in listed:
            message = f"'{name}' is both searched and {listed[name]}"
            raise SweeperError(message, fix="remove one of the two", where=where)
        given = {"fixed": grid.fixed, **{f"in case {case}": point for case, point in grid.cases.items()}}
        for kind, point in given.items():
            if name in point and each.when is None:
                fix = "remove one of the two, or say with when: where it is searched"
                raise SweeperError(f"'{name}' is both searched and {kind}", fix=fix, where=where)
    if grid.baseline:
        fix = "remove it, or list values in axes instead"
        raise SweeperError("a searched space has no baseline", fix=fix, where=document.where("baseline", key=True))


def _conditions(document: Document, asked: SearchFile, grid: Grid, names: Sequence[str]) -> dict[str, Condition]:
    """When names are asked for. Raises SweeperError for one that needs a name of further down."""
    found: dict[str, Condition] = {}
    above: list[str] = []
    known = [*([CASE] if grid.cases else []), *names]
    for name, each in asked.distributions.items():
        if each.when is not None:
            where = document.where("search", "distributions", name, "when")
            if name == CASE:
                raise SweeperError("a case cannot have a condition", fix="remove when", where=where)
            later = [other for other in asked.distributions if other not in above]
            found[name] = parse_condition(each.when, known, where, "when")
            for other in found[name].names:
                if other in later:
                    fix = f"write {other} above {name}" if other != name else "name other parameters"
                    raise SweeperError(f"when: '{other}' is suggested after {name}", fix=fix, where=where)
        above.append(name)
    return found


def _check_values(document: Document, searched: SearchSpace) -> None:
    """The config takes whatever may be suggested, as far as a value can be wrong by itself."""
    known = {name: each.value for name, each in searched.points[0].origins.overrides.items()}
    for name, each in searched.distributions.items():
        for value, at in ends(each):
            where = document.where("search", "distributions", name, *at)
            if name == CASE:
                if value not in list(searched.cases):
                    raise SweeperError(f"no case '{value}'", fix=nearest(str(value), searched.cases), where=where)
                continue
            wrong = _refused(searched, {**known, name: value}, name)
            if wrong:
                raise SweeperError(wrong, fix=f"{name} is {searched.start.meanings[name]}", where=where)


def _check_conditions(searched: SearchSpace) -> None:
    """Every condition has an answer, with the least of all values and with the largest."""
    for point in searched.points:
        searched.suggest(point, lambda _, each: ends(each)[0][0])
        searched.suggest(point, lambda _, each: ends(each)[-1][0])


def _refused(searched: SearchSpace, values: Mapping[str, Any], name: str) -> str | None:
    """Why the config does not take the value of ``name``; what it misses in others may be suggested with it."""
    try:
        searched.start.trainable.config.model_validate(changed(searched.start.base, values))
    except ValidationError as error:
        at = tuple(name.split("."))
        return next(
            (message_of(each, each["loc"][: len(at)]) for each in error.errors() if each["loc"][: len(at)] == at), None
        )
    return None


def _check_objectives(document: Document, asked: SearchFile, trainable: Trainable) -> None:
    """Objectives are numbers that a trial ends with, and are wanted the way in which they are better."""
    numbers = objectives_of(trainable)
    for name, sense in asked.objectives.items():
        where = document.where("search", "objectives", name, key=True)
        if name not in numbers and (trainable.declares_metrics or name == DEPENDS_ON_OTHERS):
            message = f"unknown objective '{name}'"
            if name == DEPENDS_ON_OTHERS:
                raise SweeperError(
                    f"'{name}' cannot be an objective", fix="it depends on other trials; use seconds", where=where
                )
            raise SweeperError(message, fix=nearest(name, numbers), where=where)
        better = numbers[name].better if name in numbers else None
        if better and (better == "higher") != (sense == "maximise"):
            fix = f"{name}: {'maximise' if better == 'higher' else 'minimise'}"
            message = f"objective {name}: {better} is better, but the space says {sense}"
            raise SweeperError(message, fix=fix, where=where)
    for name in asked.reference:
        if name not in asked.objectives:
            where = document.where("search", "reference", name, key=True)
            raise SweeperError(f"reference: no objective '{name}'", fix=nearest(name, asked.objectives), where=where)


def _check_ways(document: Document, searched: SearchSpace) -> None:
    """Sampler and pruner can do what is asked of them."""
    asked, repeats = searched.asked, searched.start.repeats.count
    if asked.sampler == "grid":
        for name, each in asked.distributions.items():
            if values(each) is None:
                message = f"sampler grid needs finite choices, but {name} is {told(each)}"
                where = document.where("search", "distributions", name)
                raise SweeperError(message, fix="give it a choice or a step, or use another sampler", where=where)
    where = document.where("search", "pruner")
    if asked.pruner and len(asked.objectives) > 1:
        message = f"a pruner needs one objective, but the space has {len(asked.objectives)}"
        raise SweeperError(message, fix="remove the pruner, or all objectives but one", where=where)
    if asked.pruner == "wilcoxon" and repeats < FEWEST_PAIRS:
        message = f"wilcoxon compares seeds, and {repeats} are too few to prune before the last one"
        raise SweeperError(message, fix=f"give {FEWEST_PAIRS} seeds or more, or use median", where=where)


def _check_enqueued(document: Document, asked: SearchFile) -> None:
    """What is tried first is of the distributions."""
    for index, row in enumerate(asked.enqueue):
        for name, value in row.items():
            if name not in asked.distributions:
                where = document.where("search", "enqueue", index, name, key=True)
                raise SweeperError(
                    f"enqueue: '{name}' is not searched", fix=nearest(name, asked.distributions), where=where
                )
            if not holds(asked.distributions[name], value):
                where, fix = document.where("search", "enqueue", index, name), told(asked.distributions[name])
                message = f"enqueue: {value} is outside the distribution of {name}"
                raise SweeperError(message, fix=f"it is {fix}", where=where)
