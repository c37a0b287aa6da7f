"""Where things lie below a runs directory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sweeper.errors import SweeperError

if TYPE_CHECKING:
    from sweeper.store.base import Place

STUDIES = "optuna.db"
"""The database of studies in a runs directory."""
SUGGESTIONS = "suggestions.parquet"
"""The suggestions of a search, in its results."""
TABLE_METADATA = b"sweeper.table"
"""The key in the metadata of results that holds what tables need to know of their space, as JSON."""
FOUND = "search"
"""Directory of the pictures and the table of a search, in its results and in the sweep's run in MLflow."""


def database_of(runs: Path) -> Path:
    """Return the embedded tracking database."""
    return runs / "mlflow.db"


def database_uri(runs: Path) -> str:
    """Return the tracking URI of the embedded database."""
    return f"sqlite:///{database_of(runs).absolute()}"


def is_served(runs: Path, uri: str) -> bool:
    """Check whether a tracking URI is the embedded database, which ``sweeper ui`` serves."""
    return uri == database_uri(runs)


def place_in(runs: Path) -> Place:
    """Where artifacts lie, unless another place is named."""
    from sweeper.store.base import Place

    return Place(str((runs / "store").absolute()))


def place_of(runs: Path, store: str | None, cache: Path | None, cache_size: str) -> Place:
    """The place that the options name. Raises SweeperError."""
    from pydantic import ByteSize, TypeAdapter, ValidationError

    from sweeper.store.base import Place

    if store is None:
        return place_in(runs)
    if "://" not in store:
        return Place(str(Path(store).expanduser().absolute()))
    try:
        limit = TypeAdapter(ByteSize).validate_python(cache_size)
    except ValidationError:
        raise SweeperError(f"--cache-size: '{cache_size}' is no size", fix="give one such as 20GiB") from None
    return Place(store, str(cache.expanduser().absolute()) if cache else None, limit)
