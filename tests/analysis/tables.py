"""Every table of the paper in every format, as it was last looked at.

``paper`` holds results of the paper's search spaces on the digits, with a tenth of the training and three seeds, but
for two trials of ``functions``: one failed, one never run. Write the snapshots anew, and look at what has changed:

    python -m tests.analysis.tables
"""

from pathlib import Path

from analysis.formats import FORMATS, Format, render
from analysis.results import read_results
from analysis.summary import summarise

HERE = Path(__file__).parent
DATA = HERE / "paper"
SNAPSHOTS = HERE / "snapshots"
TABLES = sorted(path.parent.name for path in DATA.glob("*/trials.parquet"))


def printed(table: str, how: Format) -> str:
    """A table of the data, with all its statistics."""
    return render(summarise(read_results(DATA, table)), how, statistics=True)


def snapshot(table: str, how: Format) -> Path:
    """Where the table is kept."""
    return SNAPSHOTS / f"{table}.{'txt' if how == 'text' else 'tex' if how == 'latex' else how}"


if __name__ == "__main__":
    SNAPSHOTS.mkdir(exist_ok=True)
    for table in TABLES:
        for how in FORMATS:
            snapshot(table, how).write_text(printed(table, how))
