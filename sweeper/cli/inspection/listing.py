"""List all sweeps of a directory, a line each."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sweeper.cli.inspection.status import KILLED, local_time, look
from sweeper.errors import SweeperError, from_here
from sweeper.planning.text import aligned
from sweeper.records.layout import RunsDirectory
from sweeper.records.trials import read_trials, store_of

Line = tuple[str, str, str, str, str, str]
TITLES: Line = ("sweep", "state", "trials", "failed", "last run", "file")


def listing(runs: Path) -> str:
    """List recorded sweeps, and results without a record: state, trials, last run and file."""
    names = RunsDirectory(runs).sweeps()
    lines, told = [], set()
    for name in names:
        try:
            now = look(runs, name)
        except SweeperError:
            lines.append((name, "record or results cannot be read", "", "", "", ""))
            continue
        told |= {name, *now.record.spaces}
        state = "killed?" if now.state == KILLED else now.state
        counts = f"{now.count('finished')}/{now.all_trials}", str(now.count("failed"))
        last = local_time(now.status.updated if now.status else now.record.began)
        lines.append((name, state, *counts, last, from_here(now.record.file)))
    lines += [_unrecorded(runs, space) for space in RunsDirectory(runs).spaces() if space not in told]
    if not lines:
        return f"nothing has been run in {runs} yet"
    return "\n".join(aligned([TITLES, *sorted(lines)], right=(2, 3)))


def _unrecorded(runs: Path, space: str) -> Line:
    try:
        trials = read_trials(runs, space)
        done = store_of(runs, space).existing({trial.target for trial in trials})
        statuses = [trial.status_among(done) for trial in trials]
    except SweeperError:
        return space, "results cannot be read", "", "", "", ""
    written = datetime.fromtimestamp(RunsDirectory(runs).trials_of(space).stat().st_mtime, UTC)
    counts = f"{statuses.count('finished')}/{len(statuses)}", str(statuses.count("failed"))
    return space, "no record", *counts, local_time(written), ""
