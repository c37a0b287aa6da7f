"""Checks of a file's search section against the trainable, before anything runs."""

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
"""The one number of a trial that depends on other trials."""
MIN_PAIRS = 5
"""Seeds at least for Wilcoxon's test to stop a suggestion before its last one: a one-sided test at 0.1 needs 4 pairs
to reject (1 / 2^4)."""


def read_search(
    document: Document, file: SpaceFile, grid: Grid, sets: Sequence[str], start: Start
) -> SearchSpace | None:
    """Validate the search of a space; return None if it has none.

    Args:
        document: the file.
        file: its content.
        grid: its overrides beside the search.
        sets: assignments on the command line; names that they set are not searched.
        start: the common start of all trials.

    Raises SweeperError at the location of the first fault.
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
    """Return the numbers that may be objectives: facts, metrics and the costs of a trial by itself."""
    numbers = {**trainable.known, **trainable.metrics, **trainable.costs}
    del numbers[DEPENDS_ON_OTHERS]
    return numbers


def _without(document: Document, asked: SearchFile, fixed: Sequence[str]) -> SearchFile:
    """Remove the names that the command line fixes. Raises SweeperError if none is left."""
    left = {name: each for name, each in asked.distributions.items() if name not in fixed}
    if not left:
        message, where = "--set leaves nothing to search", document.where("search", "distributions")
        raise SweeperError(message, fix="remove one --set, or the search from the file", where=where)
    enqueue = [{name: value for name, value in row.items() if name not in fixed} for row in asked.enqueue]
    return asked.model_copy(update={"distributions": left, "enqueue": enqueue})


def _check_names(document: Document, asked: SearchFile, grid: Grid, start: Start) -> None:
    """Check that every searched name is in the config, or is the case, and is set nowhere else."""
    listed = {name: each.kind for each in grid.dimensions for name in each.points[0]}
    for name, each in asked.distributions.items():
        where = document.where("search", "distributions", name, key=True)
        if name in start.repeats.values:
            key = start.repeats.key(name)
            fix = f"remove it: results are averaged over {key}"
            raise SweeperError(f"'{name}' is already set by {key}", fix=fix, where=where)
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
                fix = "remove one of the two, or restrict its search with when:"
                raise SweeperError(f"'{name}' is both searched and {kind}", fix=fix, where=where)
    if grid.baseline:
        fix = "remove the baseline, or replace the search by axes"
        where = document.where("baseline", key=True)
        raise SweeperError("a space with a search cannot have a baseline", fix=fix, where=where)


def _conditions(document: Document, asked: SearchFile, grid: Grid, names: Sequence[str]) -> dict[str, Condition]:
    """Parse the conditions of names. Raises SweeperError for one that refers to a name suggested later."""
    found: dict[str, Condition] = {}
    above: list[str] = []
    known = [*([CASE] if grid.cases else []), *names]
    for name, each in asked.distributions.items():
        if each.when is not None:
            where = document.where("search", "distributions", name, "when")
            if name == CASE:
                raise SweeperError("when: case cannot have a condition", fix="remove when", where=where)
            later = [other for other in asked.distributions if other not in above]
            found[name] = parse_condition(each.when, known, where, "when")
            for other in found[name].names:
                if other in later:
                    fix, message = f"list {other} before {name}", f"when: '{other}' is suggested after {name}"
                    if other == name:
                        fix, message = "refer to other names", f"when: '{name}' cannot depend on itself"
                    raise SweeperError(message, fix=fix, where=where)
        above.append(name)
    return found


def _check_values(document: Document, searched: SearchSpace) -> None:
    """Check that the config accepts each choice and bound by itself."""
    known = {name: each.value for name, each in searched.points[0].origins.overrides.items()}
    for name, each in searched.distributions.items():
        for value, at in ends(each):
            where = document.where("search", "distributions", name, *at)
            if name == CASE:
                if value not in list(searched.cases):
                    fix = nearest(str(value), searched.cases)
                    raise SweeperError(f"unknown case '{value}'", fix=fix, where=where)
                continue
            wrong = _refused(searched, {**known, name: value}, name)
            if wrong:
                raise SweeperError(wrong, fix=f"{name}: {searched.start.meanings[name]}", where=where)


def _check_conditions(searched: SearchSpace) -> None:
    """Check that every condition can be evaluated with the smallest of all values and with the largest."""
    for point in searched.points:
        searched.suggest(point, lambda _, each: ends(each)[0][0])
        searched.suggest(point, lambda _, each: ends(each)[-1][0])


def _refused(searched: SearchSpace, values: Mapping[str, Any], name: str) -> str | None:
    """Return why the config rejects the value of ``name``, or None; faults of other names do not count."""
    try:
        searched.start.trainable.config.model_validate(changed(searched.start.base, values))
    except ValidationError as error:
        at = tuple(name.split("."))
        return next(
            (message_of(each, each["loc"][: len(at)]) for each in error.errors() if each["loc"][: len(at)] == at), None
        )
    return None


def _check_objectives(document: Document, asked: SearchFile, trainable: Trainable) -> None:
    """Check that objectives are numbers of a trial, and that their direction is the better one."""
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
    """Check that the sampler fits the distributions, and the pruner the objectives and seeds."""
    asked, repeats = searched.asked, searched.start.repeats.count
    if asked.sampler == "grid":
        for name, each in asked.distributions.items():
            if values(each) is None:
                message = f"sampler grid needs finite choices, but {name} has {told(each)}"
                where = document.where("search", "distributions", name)
                raise SweeperError(message, fix="give it a choice or a step, or use another sampler", where=where)
    where = document.where("search", "pruner")
    if asked.pruner and len(asked.objectives) > 1:
        message = f"a pruner needs one objective, but the space has {len(asked.objectives)}"
        raise SweeperError(message, fix="remove the pruner, or all objectives but one", where=where)
    if asked.pruner == "wilcoxon" and repeats < MIN_PAIRS:
        message = f"pruner wilcoxon compares seeds, and {repeats} are too few to prune before the last one"
        raise SweeperError(message, fix=f"use at least {MIN_PAIRS} seeds, or pruner median", where=where)


def _check_enqueued(document: Document, asked: SearchFile) -> None:
    """Check that enqueued values are within their distributions."""
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
                raise SweeperError(message, fix=f"use {fix}", where=where)
