"""A trainable whose stages sleep for as long as the stages of a real sweep took."""

from benchmarks.sleeping.config import Config
from sweeper import Number, Trainable

trainable = Trainable(
    config=Config,
    presets={"first": Config(seed=0, recorded="", trial=0)},
    metrics={"slept": Number("seconds of the last stage")},
    parts={"sleep": "sleeping"},
    experiment="benchmarks.sleeping.experiment",
)
