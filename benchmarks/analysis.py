"""Seconds and memory of a table with statistics over many synthetic trials: ``python -m benchmarks.analysis``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

COLUMNS = ("la", "aia", "forgetting")
PROBE = """\
import re, sys, time
from pathlib import Path
began = time.perf_counter()
from analysis.formats import render
from analysis.results import read_results
from analysis.summary import summarise
loaded = time.perf_counter()
summary = summarise(read_results(Path(sys.argv[1]), "synthetic"))
summarised = time.perf_counter()
text = render(summary, "text", statistics=True)
ended = time.perf_counter()
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 2**20
print(loaded - began, summarised - loaded, ended - summarised, peak)
"""


@click.command()
@click.option("--trials", default=1_000_000, show_default=True)
@click.option("--rows", multiple=True, default=(100, 1_000, 10_000), show_default=True)
@click.option("--config", default=80, show_default=True, help="Columns of config beside those of the table.")
def main(trials: int, rows: tuple[int, ...], config: int) -> None:
    """Summary, paired statistics of three metrics, and text, each in a process of its own."""
    click.echo(f"{trials:,} trials, {len(COLUMNS)} metrics, {config} config columns, load {os.getloadavg()[0]:.1f}\n")
    click.echo("| rows × seeds | imports s | summary and statistics s | text s | peak GiB |")
    click.echo("| --- | ---: | ---: | ---: | ---: |")
    for count in rows:
        with tempfile.TemporaryDirectory() as directory:
            write(Path(directory), trials, count, config)
            done = subprocess.run(  # noqa: S603
                [sys.executable, "-c", PROBE, directory], capture_output=True, text=True, check=True
            )
        imports, summary, text, peak = map(float, done.stdout.split())
        click.echo(f"| {count:,} × {trials // count:,} | {imports:.2f} | {summary:.2f} | {text:.2f} | {peak:.2f} |")


def write(directory: Path, trials: int, rows: int, config: int) -> None:
    """Results of ``rows`` rows by as many seeds as make the trials, the first row the baseline."""
    random = np.random.default_rng(0)
    place, seed = np.arange(trials) % rows, np.arange(trials) // rows
    level = 60 + 20 * random.random(rows)
    numbers = {name: level[place] + random.normal(0, 2, trials) for name in COLUMNS}
    table = pa.table(
        {
            "trial": pa.array([f"{row} · seed {each}" for row, each in zip(place, seed, strict=True)]),
            "status": pa.array(["finished"] * trials),
            "cause": pa.nulls(trials, pa.string()),
            "adapter.layers": pa.array([f"range {row}" for row in place]),
            "seed": seed,
            "ppc": 1000 + place,
            **numbers,
            **{f"config.{index}": random.integers(0, 3, trials) for index in range(config)},
        }
    )
    number = {"kind": "metric", "meaning": "", "better": "higher", "title": None, "decimals": 2}
    described = {
        "name": "synthetic",
        "rows": "adapter.layers",
        "across": None,
        "columns": ["ppc", *COLUMNS],
        "bounds": [],
        "published": None,
        "baseline": {"adapter.layers": "range 0"},
        "design": ["adapter.layers"],
        "seeds": ["seed"],
        "numbers": dict.fromkeys(COLUMNS, number),
    }
    path = directory / "synthetic" / "trials.parquet"
    path.parent.mkdir()
    pq.write_table(table.replace_schema_metadata({"sweeper.table": json.dumps(described)}), path)


if __name__ == "__main__":
    main()
