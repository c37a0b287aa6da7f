"""FunLoRA: deep generative continual learning with functional LoRA (arXiv 2510.02631)."""

from sweeper import Trainable
from trainables.funlora.config import PRESETS, Config
from trainables.funlora.numbers import FACTS, METRICS, PARTS

_EXPERIMENT = "trainables.funlora.experiment"

trainable = Trainable(
    config=Config,
    presets=PRESETS,
    metrics=METRICS,
    known=FACTS,
    parts=PARTS,
    experiment=_EXPERIMENT,
    facts=_EXPERIMENT,
    check=_EXPERIMENT,
    steps=_EXPERIMENT,
    figures="trainables.funlora.figures",
)
