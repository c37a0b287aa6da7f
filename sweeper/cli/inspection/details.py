"""Collect everything about one trial: config, numbers, stages and their provenance."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweeper.planning.text import shown
from sweeper.records.trials import COLUMNS, RecordedTrial, read_row, store_of
from sweeper.space.grid import CASE
from sweeper.store.base import Store


@dataclass(frozen=True)
class Details:
    """A trial with its numbers and stages."""

    trial: RecordedTrial
    status: str
    config: Mapping[str, Any]
    differ: list[str]
    """Names of config values in which the trials of its space differ."""
    facts: Mapping[str, Any]
    metrics: Mapping[str, Any]
    """Numbers of the run; None for one that it has not measured."""
    manifests: Mapping[str, Mapping[str, Any] | None]
    """Manifests by key, inputs first; None for a missing stage."""

    @property
    def made(self) -> list[Mapping[str, Any]]:
        """Manifests of the stages in the store."""
        return [manifest for manifest in self.manifests.values() if manifest]

    @property
    def seconds(self) -> float:
        """Seconds of the stages in the store."""
        return math.fsum(manifest["seconds"] for manifest in self.made)

    @property
    def seconds_by_function(self) -> dict[str, float]:
        """Seconds of the stages in the store by stage function, in order."""
        sums: dict[str, float] = {}
        for each in self.made:
            sums[label(each)] = sums.get(label(each), 0.0) + each["seconds"]
        return sums

    def counted(self, name: str) -> Counter[str]:
        """Count the stages in the store by the value of a part of their manifest."""
        return Counter(shown(manifest.get(name)) for manifest in self.made)

    @property
    def packages(self) -> dict[str, Counter[str]]:
        """Number of stages made with each version, by package."""
        names = sorted({name for manifest in self.made for name in manifest["packages"]})
        return {
            name: Counter(each["packages"][name] for each in self.made if name in each["packages"]) for name in names
        }


def read_details(runs: Path, trial: RecordedTrial) -> Details:
    """Read what the results and the store know. Raises SweeperError."""
    from sweeper.records.writer import flat_config
    from sweeper.trainable.trainable import find_trainable

    row, described, differ = read_row(runs, trial)
    trainable = find_trainable(described["trainable"])
    known = flat_config(next(iter(trainable.presets.values())))
    config = {name: value for name, value in row.items() if name in known}
    facts = {name: row[name] for name in trainable.known if name in row}
    others = {*COLUMNS, *known, *facts, *trainable.costs, CASE, "commit"}
    metrics = {name: value for name, value in row.items() if name not in others}
    store = store_of(runs, trial.space)
    found = store.manifests(trial.stages)
    status = trial.status_among(found)
    if status != trial.status:  # done since the results were written
        metrics |= _checked_metrics(store, trial.target, found[trial.target])
    manifests = {key: found.get(key) for key in trial.stages}
    return Details(trial, status, config, [name for name in differ if name in config], facts, metrics, manifests)


def label(manifest: Mapping[str, Any]) -> str:
    """Return the stage's name without its namespace."""
    return str(manifest["stage"]).rpartition(".")[2]


def module_of(manifest: Mapping[str, Any]) -> str:
    """Return the module that the stage was imported from when it ran. Older manifests have it in the stage's name."""
    return str(manifest.get("function", manifest["stage"])).partition(":")[0]


def _checked_metrics(store: Store, key: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Read the numbers of a trial's last stage; none if its file fails its checksum."""
    from sweeper.records.writer import METRICS

    try:
        written = store.read_verified(key, manifest, METRICS)
        return dict(json.loads(written)) if written else {}
    except ValueError:
        return {}
