"""An adapter of the tiny network."""

from trainables.funlora.settings import Adapter


def settings(**values: object) -> Adapter:
    """A rank-1 vanilla adapter of all layers of the tiny network, but for ``values``; checked."""
    plain = {
        "method": "low_rank",
        "layers": "0-24",
        "functions": "none",
        "p": 3,
        "operation": "mul",
        "ratio": 1,
        "rank": 1,
        "raised": "none",
        "train_embedding": False,
        "iterations": 8,
        "batch": 4,
        "lr": 1e-2,
        "warmup": 2,
        "ema": 0.5,
        "ema_from": 3,
    }
    return Adapter(**{**plain, **values})
