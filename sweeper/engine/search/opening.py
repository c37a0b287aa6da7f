"""Open the searches of a sweep at its start, and write them beside its results at its end."""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from analysis.contract import FOUND, SEARCH_METADATA, SUGGESTIONS
from sweeper.planning.graph import Graph
from sweeper.records.layout import RunsDirectory
from sweeper.records.writer import Manifests, write_table
from sweeper.store.base import Store

if TYPE_CHECKING:
    from sweeper.engine.search.driver import SearchDriver


def open_searches(graph: Graph, store: Store, runs: Path, storage: str | None, *, anew: bool) -> list[SearchDriver]:
    """Open the search of every searched space, and take what earlier drivers have done into the graph.

    Args:
        graph: the sweep.
        store: where its artifacts are.
        runs: where the studies lie, unless ``storage`` says it.
        storage: Optuna's, as an address.
        anew: whether there are to be new suggestions beside those that were left.

    Raises SweeperError where the storage cannot be used, and where a study in it is another directory's.
    """
    plans = [(plan, plan.space.searched) for plan in graph.plans if plan.space.searched]
    if not plans:
        return []
    from sweeper.engine.search.driver import SearchDriver
    from sweeper.engine.search.study import Study

    found = []
    owner = f"{platform.node()}:{runs.absolute()}" if storage else None
    for plan, searched in plans:
        place = storage or RunsDirectory(runs).studies_uri
        studies = [Study(searched, point, plan.space.name, place, owner) for point in searched.points]
        found.append(SearchDriver(graph, plan, studies, store, anew=anew))
    return found


def write_suggestions(search: SearchDriver, manifests: Manifests, directory: Path) -> None:
    """Write ``suggestions.parquet`` into the space's directory: a row per suggestion, and what is searched for.

    Args:
        search: the space's.
        manifests: of its stages that are done, by key.
        directory: below which every space has a directory of its name.
    """
    names = [*search.searched.distributions]
    rows = list(_rows(search, manifests))
    types = {
        "study": pa.string(),
        "number": pa.int64(),
        "state": pa.string(),
        "cause": pa.string(),
        "seeds": pa.int64(),
        "seconds": pa.float64(),
        **{f"value.{name}": pa.float64() for name in search.searched.asked.objectives},
        "targets": pa.list_(pa.string()),
    }
    columns = {name: pa.array([row[name] for row in rows], kind) for name, kind in types.items()}
    columns |= {f"param.{name}": _column([row["params"].get(name) for row in rows]) for name in names}
    table = pa.table(columns).replace_schema_metadata({SEARCH_METADATA: json.dumps(_described(search))})
    write_table(table, directory / search.plan.space.name / SUGGESTIONS)


def write_found(directory: Path, name: str) -> None:
    """Draw what a search has found and write its table, below the results of its space."""
    from sweeper.records.search_output import draw_search

    place = directory / name / FOUND
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    draw_search(directory, name, place)


def forget_search(directory: Path, name: str) -> None:
    """Remove what an earlier search by the name of a space has left that lists its trials."""
    (directory / name / SUGGESTIONS).unlink(missing_ok=True)
    shutil.rmtree(directory / name / FOUND, ignore_errors=True)


def _rows(search: SearchDriver, manifests: Manifests) -> Iterator[dict[str, Any]]:
    objectives, spent = search.searched.asked.objectives, set[str]()
    stages = dict(zip((target.key for target in search.plan.targets), search.plan.per_trial, strict=True))
    for index, study in enumerate(search.studies):
        for each in study.suggestions():
            if each.state == "waiting":
                continue
            targets = search.targets.get((index, each.number), [])
            values: Sequence[float | None] = each.values or [None for _ in objectives]
            made = {key for target in targets for key in stages[target] if key in manifests} - spent
            spent |= made
            yield {
                "study": study.point.label,
                "number": each.number,
                "state": each.state,
                "cause": each.cause,
                "seeds": sum(target in manifests for target in targets),
                "targets": targets,
                "seconds": sum(manifests[key]["seconds"] for key in made),
                "params": each.params,
                **{f"value.{name}": value for name, value in zip(objectives, values, strict=True)},
            }


def _column(values: Sequence[Any]) -> pa.Array:
    """Return values of one type: choices of several types are all written as text."""
    try:
        return pa.array(values)
    except pa.ArrowException:
        return pa.array([None if value is None else str(value) for value in values])


def _described(search: SearchDriver) -> dict[str, Any]:
    asked = search.searched.asked
    return {
        "sampler": asked.sampler,
        "pruner": asked.pruner,
        "objectives": asked.objectives,
        "reference": asked.reference,
        "trials": asked.trials,
        "distributions": search.searched.told,
        "importances": [
            {"study": study.point.label, "objective": objective, "name": name, "importance": importance}
            for study in search.studies
            for objective, found in study.importances().items()
            for name, importance in found.items()
        ],
    }


def progress_of(searches: Sequence[SearchDriver]) -> tuple[str, float] | None:
    """Return the progress of searches, in words and as the share of suggestions that have ended; None without any."""
    if not searches:
        return None
    ended, pruned, asked = (sum(counts) for counts in zip(*(each.counts() for each in searches), strict=True))
    told = f", {pruned} pruned" if pruned else ""
    return f"{ended}/{asked} suggestions{told}", ended / asked
