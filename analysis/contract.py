"""Names that writers and readers of results share: files below ``results/SPACE`` and keys of metadata."""

from __future__ import annotations

TRIALS = "trials.parquet"
"""A row per trial; its metadata describes the space."""
SUGGESTIONS = "suggestions.parquet"
"""Of a searched space: a row per suggestion; its metadata describes the search."""
STAGES = "stages.parquet"
"""A row per stage that is done."""
CURVES = "curves.parquet"
"""Learning curves: key of the stage, metric, step, value."""
MEASURES = "measures"
"""Directory of measures too long for a trial's row, a Parquet file each."""
PICTURES = "pictures"
"""Directory of trials' pictures, each below the first characters of its trial's target."""
KEY_PREFIX = 12
"""Characters of a target that name the directory of its pictures."""
FOUND = "search"
"""Directory of the pictures and the table of a search."""
TABLE_METADATA = b"sweeper.table"
"""Key in the metadata of `TRIALS`: what tables need to know of the space, as JSON."""
SEARCH_METADATA = b"sweeper.search"
"""Key in the metadata of `SUGGESTIONS`: what was searched for, and which names mattered, as JSON."""
