"""Names that writers and readers of results share: files below ``results/SPACE`` and keys of metadata."""

from __future__ import annotations

TRIALS = "trials.parquet"
"""A row per trial; its metadata describes the space."""
SUGGESTIONS = "suggestions.parquet"
"""A row per suggestion of a searched space; its metadata describes the search."""
STAGES = "stages.parquet"
"""A row per finished stage."""
CURVES = "curves.parquet"
"""Learning curves: key of the stage, metric, step, value."""
MEASURES = "measures"
"""Directory of measures too long for a trial's row, with a Parquet file for each."""
PICTURES = "pictures"
"""Directory of trials' pictures, in subdirectories named by the first characters of the trial's target."""
KEY_PREFIX = 12
"""Characters of a target in the name of the directory of its pictures."""
FOUND = "search"
"""Directory of the pictures and the table of a search."""
TABLE_METADATA = b"sweeper.table"
"""Key in the metadata of `TRIALS`: the description of the space for tables, as JSON."""
SEARCH_METADATA = b"sweeper.search"
"""Key in the metadata of `SUGGESTIONS`: the search and the importance of its names, as JSON."""
