"""What a stage that does nothing costs where artifacts lie in a bucket: ``python -m benchmarks.bucket``.

The bucket is one of moto's S3 server on the loopback interface, beside a directory in the same run.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from benchmarks.orchestration import conditions, toy
from sweeper.engine.dispatch import Dispatch, Machine
from sweeper.engine.executors.inline import InlineExecutor
from sweeper.engine.executors.ray.cluster import cluster  # first: it sets what Ray reads when it is imported
from sweeper.engine.executors.ray.nodes import machine
from sweeper.engine.executors.ray.tune import run_on_ray
from sweeper.store import open_store
from sweeper.store.base import Place, Store
from sweeper.store.bucket.objects import objects_at
from tests.buckets import KEYS, make_bucket, server

ASKED = 200
"""Requests that are timed."""


@click.command()
@click.option("--stages", type=click.IntRange(50), default=100, show_default=True)
def main(stages: int) -> None:
    """Wall milliseconds per stage, from the end of the first tenth of them to the end of the run."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as directory, server() as port:
        address = f"http://127.0.0.1:{port}"
        os.environ |= KEYS | {"AWS_ENDPOINT_URL": address, "AWS_ALLOW_HTTP": "true"}
        work, request = Path(directory), _request(f"s3://{make_bucket(address)}/probe")
        here = InlineExecutor()
        rows = [("without Ray", *_both(work / "inline", stages, here.run, here.machine, address))]
        with cluster(None):
            there = machine()
            slots = there.capacity().cpus
            rows.append(("on Ray", *_both(work / "ray", stages, partial(run_on_ray, slots=slots), there, address)))
    click.echo(f"{stages} stages, {1000 * request:.1f} ms a request\n")
    click.echo(f"| {conditions(slots, load)} | directory, ms per stage | bucket, ms per stage |\n| --- | ---: | ---: |")
    for name, near, far in rows:
        click.echo(f"| {name} | {1000 * near:.1f} | {1000 * far:.1f} |")


def _both(
    work: Path, stages: int, run: Callable[[Dispatch], None], there: Machine, address: str
) -> tuple[float, float]:
    """Seconds per stage with a directory and with a bucket."""
    work.mkdir()
    return toy(work / "near", stages, run, there), toy(work / "far", stages, run, there, store=_bucket(work, address))


def _bucket(work: Path, address: str) -> Store:
    store = open_store(Place(f"s3://{make_bucket(address)}/store", str(work / "cache")))
    store.prepare()
    return store


def _request(url: str) -> float:
    """Seconds of asking for one small thing."""
    objects = objects_at(url)
    began = time.perf_counter()
    for _ in range(ASKED):
        objects.head("nothing")
    return (time.perf_counter() - began) / ASKED


if __name__ == "__main__":
    main()
