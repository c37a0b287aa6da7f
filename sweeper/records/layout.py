"""The layout of a runs directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.contract import TRIALS
from sweeper.errors import SweeperError

if TYPE_CHECKING:
    from sweeper.store.base import Place


@dataclass(frozen=True)
class RunsDirectory:
    """Paths in a runs directory. None of them needs to exist.

    store/                            artifacts, unless another place is named
    results/SPACE/                    of a search space, see `analysis.contract`
    sweeps/SWEEP/{sweep,status}.json  the last command and how far it is
    sweeps/SWEEP/lock                 held by the driver for as long as it lives
    mlflow.db, mlartifacts/           the embedded tracking database
    optuna.db                         the studies of searched spaces
    """

    root: Path

    @property
    def store(self) -> Path:
        """Directory of the artifacts, unless another store is named."""
        return self.root / "store"

    @property
    def place(self) -> Place:
        """Return the same as a place for `sweeper.store.open_store`."""
        from sweeper.store.base import Place

        return Place(str(self.store.absolute()))

    @property
    def results(self) -> Path:
        """Directory of the results; every space has a subdirectory of its name."""
        return self.root / "results"

    def results_of(self, space: str) -> Path:
        """Return the directory of a space's results."""
        return self.results / space

    def trials_of(self, space: str) -> Path:
        """Return the file of a space's trials."""
        return self.results_of(space) / TRIALS

    def spaces(self) -> list[str]:
        """Return the names of the spaces that have results, sorted."""
        return sorted(path.parent.name for path in self.results.glob(f"*/{TRIALS}"))

    def sweep(self, name: str) -> Path:
        """Return the directory of a sweep's record."""
        return self.root / "sweeps" / name

    def record(self, name: str) -> Path:
        """Return the file of a sweep's record."""
        return self.sweep(name) / "sweep.json"

    def status(self, name: str) -> Path:
        """Return the file that says how far a sweep is."""
        return self.sweep(name) / "status.json"

    def lock(self, name: str) -> Path:
        """Return the file that a sweep's driver holds."""
        return self.sweep(name) / "lock"

    def sweeps(self) -> list[str]:
        """Return the names of the sweeps that have a record, sorted."""
        return sorted(path.parent.name for path in self.root.glob("sweeps/*/sweep.json"))

    @property
    def database(self) -> Path:
        """Path of the embedded tracking database."""
        return self.root / "mlflow.db"

    @property
    def tracking_uri(self) -> str:
        """Tracking URI of the embedded database."""
        return f"sqlite:///{self.database.absolute()}"

    @property
    def tracked_files(self) -> Path:
        """Directory of the artifacts of runs in the embedded database."""
        return self.root / "mlartifacts"

    @property
    def studies(self) -> Path:
        """Path of the database of studies."""
        return self.root / "optuna.db"

    @property
    def studies_uri(self) -> str:
        """Address of this database."""
        return f"sqlite:///{self.studies.absolute()}"


def place_of(runs: Path, store: str | None, cache: Path | None, cache_size: str) -> Place:
    """Return the store that the options name. Raises SweeperError."""
    from pydantic import ByteSize, TypeAdapter, ValidationError

    from sweeper.store.base import Place

    if store is None:
        return RunsDirectory(runs).place
    if "://" not in store:
        return Place(str(Path(store).expanduser().absolute()))
    try:
        limit = TypeAdapter(ByteSize).validate_python(cache_size)
    except ValidationError:
        raise SweeperError(f"--cache-size: '{cache_size}' is not a size", fix="write it like 20GiB") from None
    return Place(store, str(cache.expanduser().absolute()) if cache else None, limit)
