"""Where things lie below a runs directory."""

from __future__ import annotations

from pathlib import Path

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
