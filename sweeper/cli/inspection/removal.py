"""Delete a sweep: its record, its results, its MLflow experiments. Artifacts stay in the store."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sweeper.errors import SweeperError
from sweeper.records.layout import RunsDirectory
from sweeper.records.sweep import is_driven, read_record
from sweeper.records.trials import spaces_of


@dataclass(frozen=True)
class Removal:
    """What is deleted with a sweep, and what stays."""

    runs: Path
    directories: Sequence[Path]
    """Directories of its record, and of the results of spaces that no other sweep has."""
    experiments: Sequence[str]
    """Experiments in the embedded database."""
    uri: str
    """Address of the embedded database."""
    studies: Sequence[str]
    """Studies of searched spaces, in the database beside it."""
    stays: Sequence[str]
    """Lines that say what stays and why."""

    def lines(self) -> Iterator[str]:
        """Return all of it, a line each."""
        yield from (f"goes: {path}" for path in self.directories)
        yield from (f"goes: MLflow experiment {name}" for name in self.experiments)
        yield from (f"goes: Optuna study {name}" for name in self.studies)
        yield from (f"stays: {line}" for line in self.stays)

    def carry_out(self) -> None:
        """Delete it, the record last: what is interrupted can be said again."""
        if self.experiments:
            from sweeper.tracking.client import delete_experiment

            for name in self.experiments:
                delete_experiment(self.uri, name)
        if self.studies:
            from sweeper.engine.search.study import delete_study

            for name in self.studies:
                delete_study(self.runs, name)
        for path in reversed(self.directories):
            shutil.rmtree(path)


def removal_of(runs: Path, name: str) -> Removal:
    """Find what to delete with the sweep ``name``. Raises SweeperError for an unknown one and a running one."""
    there, spaces, stays = RunsDirectory(runs), spaces_of(runs, name), []
    record = read_record(runs, name) if name in there.sweeps() else None
    if record and is_driven(runs, name):
        message = f"sweep {name} is being run by process {record.pid} on {record.host}"
        raise SweeperError(message, fix="stop it there with Ctrl-C first")
    if record and record.tracking_uri and record.tracking_uri != there.tracking_uri:
        stays.append(f"MLflow experiments at {record.tracking_uri}")
    users = {space: _users(runs, space, name) for space in (record.spaces if record else spaces)}
    if not record and users[name]:
        whole = users[name][0]
        raise SweeperError(f"{name} is a space of the sweep {whole}", fix=f"delete all of it: sweeper rm {whole}")
    stays += [f"{space}, a space of {', '.join(others)} too" for space, others in users.items() if others]
    own = [space for space, others in users.items() if not others]
    results = [there.results_of(space) for space in own if space in spaces]
    uri = there.tracking_uri
    directories = [*([there.sweep(name)] if record else []), *results]
    if record and record.optuna_storage:
        stays.append(f"Optuna studies at {record.optuna_storage}")
    return Removal(runs, directories, _experiments(runs, uri, own), uri, _studies(runs, own), stays)


def _users(runs: Path, space: str, name: str) -> list[str]:
    """Return other sweeps that have the space."""
    others = (other for other in RunsDirectory(runs).sweeps() if other != name)
    return [other for other in others if space in read_record(runs, other).spaces]


def _studies(runs: Path, spaces: Sequence[str]) -> list[str]:
    if not RunsDirectory(runs).studies.exists():
        return []
    from sweeper.engine.search.study import studies_of

    return [study for space in spaces for study in studies_of(runs, space)]


def _experiments(runs: Path, uri: str, spaces: Sequence[str]) -> list[str]:
    if not RunsDirectory(runs).database.exists():
        return []
    from sweeper.tracking.client import has_experiment

    return [space for space in spaces if has_experiment(uri, space)]
