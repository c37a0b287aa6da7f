"""Random streams: every stage draws from a seed derived from what it is about, and from nothing else."""

from __future__ import annotations

import hashlib
import json


def stream_seed(seed: int, *about: str | int) -> int:
    """Return a 63-bit seed for the stream of ``about`` (a purpose, a class, a task, a chunk) under the trial's seed.

    Streams of different purposes are independent, and a class keeps its stream whatever else is in the run.
    """
    digest = hashlib.sha256(json.dumps([seed, *about]).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
