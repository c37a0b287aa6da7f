"""Keys of the shipped trainables are pinned: another key throws away the artifacts that users have.

After a stage's version was raised on purpose, write the new keys with

    python -m tests.trainables.test_golden_keys
"""

import hashlib
import json
from pathlib import Path

from sweeper.planning.graph import collect
from trainables.funlora.config import DIGITS, Config
from trainables.funlora.experiment import run

GOLDEN = Path(__file__).with_name("golden_keys.json")
CONFIGS = {
    "digits": DIGITS,
    "digits, quality": DIGITS.model_copy(
        update={"quality": DIGITS.quality.model_copy(update={"features": "resnet18", "grid": True})}
    ),
    "digits, multitask": DIGITS.model_copy(update={"generator": "multitask"}),
    "digits, real": DIGITS.model_copy(update={"generator": "real"}),
}


def keys_of(config: Config) -> dict[str, str]:
    """A digest of the sorted keys of every stage function."""
    keys: dict[str, list[str]] = {}
    for key, node in collect(run(config), {}).items():
        keys.setdefault(node.function.name, []).append(key)
    return {name: hashlib.sha256("".join(sorted(each)).encode()).hexdigest() for name, each in sorted(keys.items())}


def all_keys() -> dict[str, dict[str, str]]:
    return {name: keys_of(config) for name, config in CONFIGS.items()}


def test_the_keys_of_every_stage_are_those_of_the_last_release() -> None:
    assert all_keys() == json.loads(GOLDEN.read_text())


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(all_keys(), indent=1) + "\n")
