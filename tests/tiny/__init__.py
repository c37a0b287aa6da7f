"""A trainable that costs next to nothing: a chain of hashes, a branch for every kind, a sum."""

from sweeper import Trainable
from tests.tiny.config import FACTS, METRICS, PARTS, PRESETS, Config

trainable = Trainable(
    config=Config,
    presets=PRESETS,
    metrics=METRICS,
    known=FACTS,
    parts=PARTS,
    experiment="tests.tiny.experiment",
    facts="tests.tiny.experiment",
    check="tests.tiny.experiment",
    steps="tests.tiny.experiment",
)
