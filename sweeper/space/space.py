"""Search spaces: load a YAML document as a list of trials, each with a complete, validated config."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sweeper.errors import SweeperError, nearest
from sweeper.space.condition import parse_condition
from sweeper.space.document import Document
from sweeper.space.grid import CASE, Grid, read_grid
from sweeper.space.repeat import SEED, read_repeats
from sweeper.space.schema import SpaceFile, Table, parse_space
from sweeper.space.search import SearchSpace
from sweeper.space.search_checks import read_search
from sweeper.space.start import Start
from sweeper.space.table import check_table
from sweeper.space.trials import Trial, value_at
from sweeper.trainable.resources import ResourceChanges
from sweeper.trainable.trainable import Trainable, dotted_fields, find_trainable

__all__ = ["Space", "Trial", "load_space"]

MAX_TRIALS = 100_000
"""Trials of a space at most: more are a mistake, and would not fit into memory."""
LONGEST = 200
"""Characters of a sweep's name at most."""
NAMED = 10
"""Values that a fix lists at most."""


@dataclass(frozen=True)
class Space:
    """A validated search space."""

    name: str
    trainable: Trainable
    preset: str
    table: Table
    trials: Sequence[Trial]
    """The listed trials; empty for a searched space, whose trials are suggested."""
    design: Sequence[str]
    """Names of the values in a trial's row."""
    repeated: Sequence[str]
    """Names that trials are averaged over."""
    searched: SearchSpace | None
    """The search; None for a space without one."""
    duplicates: Sequence[tuple[str, str]]
    """The label of every trial left out as a duplicate, with the label of the trial that has the same config."""
    warnings: Sequence[str]
    """Lines for the user about how the file was read."""
    baseline: Mapping[str, Any]
    """The row to compare the others with: its case and values by dotted name, as in the results."""
    resources: Mapping[str, ResourceChanges]
    """Changes to the resource requests of stages, by the stage's label."""
    where: Callable[..., str]
    """Returns the location of a part of the file, such as ``("resources", "train_flow")``."""

    def check(self) -> None:
        """Check that every trial known so far can run here. Raises SweeperError at the value that prevents it."""
        starts = [self.searched.anchor(point)[0] for point in self.searched.points] if self.searched else []
        for trial in [*self.trials, *starts]:
            trial.origins.attempt(partial(self.trainable.check_config, trial.config))


def load_space(document: Document, *, sets: Sequence[str], seeds: str | None, preset: str | None) -> Space:
    """Load a search space with the command line's overrides.

    Nothing is written, and nothing heavy is imported until the types of every trial are checked.
    Raises SweeperError, with file, line and column, for anything that the format or the trainable's config rejects.
    """
    file = parse_space(document, seeds)
    trainable = _find(document, file.trainable)
    named, where = _preset(document, trainable, file.preset, preset)
    fields = dict(dotted_fields(trainable.config))
    _check_tuned(document, file, trainable, fields)
    grid = read_grid(document, file, sets, named)
    repeats = read_repeats(document, file, list(fields), sets)
    grid.check_names(list(fields), repeats)
    _check_size(document, grid.size * repeats.count)
    rows = [*([CASE] if grid.cases else []), *fields]
    condition = None if file.where is None else parse_condition(file.where, rows, document.where("where"))
    start = Start(trainable, named, where, repeats, condition)
    searched = read_search(document, file, grid, sets, start)
    trials, duplicates = ([], []) if searched else start.listed(grid.points())
    design = searched.design if searched else grid.varied
    columns = list(searched.asked.objectives) if searched else sorted(trials[0].facts)
    table = file.table or Table(rows=design or [SEED], columns=columns or [SEED])
    numbers = [*trainable.known, *trainable.metrics, *trainable.costs]
    if not trainable.declares_metrics:  # a run may measure anything
        numbers += [name for name in table.columns if name not in fields and "." not in name]
    check_table(document, table, fields, numbers, list(grid.cases))
    baseline = _baseline(document, grid, trials) if trials else {}
    changed = [preset] if preset and preset != file.preset else []
    name = _directory("-".join([file.name, *changed, *(_slug(each) for each in sets)]))
    repeated = list(repeats.values)
    return Space(
        name,
        trainable,
        named,
        table,
        trials,
        design,
        repeated,
        searched,
        duplicates,
        _warnings(file, named),
        baseline,
        file.resources,
        document.where,
    )


def _preset(document: Document, trainable: Trainable, named: str | None, given: str | None) -> tuple[str, str]:
    """Return the preset and where it is named. Raises SweeperError if it is unknown or must be named."""
    presets = trainable.presets
    chosen = given or named or (next(iter(presets)) if len(presets) == 1 else None)
    where = f"{document.path} with --preset {given}" if given else document.where("preset")
    if chosen is None:
        fix = f"name one of {', '.join(presets)}, such as preset: {next(iter(presets))}"
        raise SweeperError("'preset' is missing", fix=fix, where=document.where())
    if chosen not in presets:
        raise SweeperError(f"unknown preset '{chosen}'", fix=nearest(chosen, presets), where=where)
    return chosen, where


def _check_tuned(document: Document, file: SpaceFile, trainable: Trainable, known: Mapping[str, Any]) -> None:
    """Check presets, cases and names of the tuned values, whatever preset is run. Raises SweeperError."""
    for preset, values in file.tuned.items():
        if preset not in trainable.presets:
            where, fix = document.where("tuned", preset, key=True), nearest(preset, trainable.presets)
            raise SweeperError(f"tuned: unknown preset '{preset}'", fix=fix, where=where)
        for case in values.cases:
            if case not in file.cases:
                where = document.where("tuned", preset, "cases", case, key=True)
                fix = nearest(case, file.cases) if file.cases else "add cases to the space"
                raise SweeperError(f"tuned: unknown case '{case}'", fix=fix, where=where)
        for loc, names in [("fixed",), values.fixed], *((("cases", case), each) for case, each in values.cases.items()):
            for name in names:
                if name not in known:
                    where = document.where("tuned", preset, *loc, name, key=True)
                    raise SweeperError(f"unknown name '{name}'", fix=nearest(name, known), where=where)


def _warnings(file: SpaceFile, preset: str) -> list[str]:
    """Say which values were chosen for other presets, and are not used."""
    if preset in file.tuned:
        return []
    return [
        f"tuned for {other}, not used with preset {preset}: {', '.join(sorted(values.names))}"
        for other, values in file.tuned.items()
    ]


def _check_size(document: Document, count: int) -> None:
    if count > MAX_TRIALS:
        message = f"the grid has {count:,} trials, the limit is {MAX_TRIALS:,}"
        fix = "shorten its lists, or search instead"
        raise SweeperError(message, fix=fix, where=document.where())


def _baseline(document: Document, grid: Grid, trials: Sequence[Trial]) -> dict[str, Any]:
    """Return the baseline with the values of the first trial that matches it. Raises SweeperError if none does."""
    wanted = {name: each.value for name, each in grid.baseline.items()}
    for trial in trials:
        if all(trial.row[name] == value for name, value in wanted.items()):
            values = trial.config.model_dump(mode="json")
            return {name: trial.row[name] if name == CASE else value_at(values, name) for name in wanted}
    for name, value in wanted.items():
        there = list(dict.fromkeys(str(trial.row[name]) for trial in trials))
        if all(trial.row[name] != value for trial in trials):
            where = grid.baseline[name].where
            fix = f"use one of {_some(there)}"
            raise SweeperError(f"baseline: no trial has {name} {value}", fix=fix, where=where)
    there = list(dict.fromkeys(" · ".join(str(trial.row[name]) for name in wanted) for trial in trials))
    message = f"baseline: no trial has {' · '.join(map(str, wanted.values()))}"
    raise SweeperError(message, fix=f"use one of {_some(there)}", where=document.where("baseline"))


def _some(values: Sequence[str]) -> str:
    more = f" and {len(values) - NAMED} more" if len(values) > NAMED else ""
    return f"{', '.join(values[:NAMED])}{more}"


def _find(document: Document, name: str) -> Trainable:
    try:
        return find_trainable(name)
    except SweeperError as error:
        raise SweeperError(error.message, fix=error.fix, where=document.where("trainable")) from None


def _directory(name: str) -> str:
    """Return the name, shortened and ended by a digest if it is too long for a directory."""
    return name if len(name) <= LONGEST else f"{name[:LONGEST]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _slug(assignment: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.=,-]+", "_", assignment)
