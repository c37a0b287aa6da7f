"""Whatever a search space says, it is planned or refused with one message; never a traceback."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sweeper.trainable.trainable import dotted_fields
from tests.conftest import ROOT, Project
from trainables.funlora.config import Config

SPACES = ROOT / "search_spaces"
FILES = sorted(path.relative_to(SPACES) for path in SPACES.rglob("*.yaml"))
MUTATIONS = 300
FIELDS = [name for name, _ in dotted_fields(Config)]
SEARCHED = [path for path in FILES if "search:" in (SPACES / path).read_text()]
ODD = [*"\x00\ufeff\u2028\té{}[]:|%'\"#@`", "&a ", "*a", "!!int ", "!!set ", "<<: ", "\\ud800"]
VALUES: list[Any] = [
    None, True, [], {}, [[]], {"a": {"b": {"c": 1}}}, 0, -1, 3, 0.5, 10**9, 10**18, 10**400, -(10**18), 1e308,
    float("inf"), float("nan"), "", "none", "0-4", "0-99999999999", "1" * 5000, "9-1", "../..", "adapter.lr > 1",
    "__import__('os')", "\x00", "\ud800", "a" * 3000, [1, 1], [1, "a", None], ["0-64", 7], {"adapter.lr": 1}, "case",
    "adapter.lr", "seed", "incremental", "funlora", "tests", "os.path", "2001-99-99", "1e-3", "64GiB", b"bytes",
]  # fmt: skip
SEARCH_VALUES: list[Any] = [
    [0, 1], [1, 0], [-1, 1], [1e-3, 1e-1], [0, 10**400], [float("nan"), 1], [1, 1], [0.5, 0.5], {"int": [1, 2]},
    {"choice": ["none", "cosine", ["none"], None]}, {"uniform": [0, 1], "step": 1e-9}, {"choice": [1, True, 1.0]},
    {"log_uniform": [1e-300, 1e300]}, {"aia": "maximise"}, {"ppc": "maximise"}, {"seconds_saved": "minimise"},
    "case == 'none'", "adapter.lr > 'a'", "adapter.p in adapter.layers", "not 3", "tpe", "grid", "qmc", "median",
    "wilcoxon", "2h", [{"adapter.lr": float("inf")}], [{"case": ["none"]}], [{}], [{"adapter.p": 10**400}],
]  # fmt: skip
SEARCH_NAMES = [
    "distributions", "sampler", "pruner", "objectives", "reference", "trials", "timeout", "enqueue", "seed", "choice",
    "int", "uniform", "log_uniform", "step", "when", "adapter.p", "adapter.lr", "adapter.layers", "case",
]  # fmt: skip
NAMES = ["", "case", "seed", "str", "name", "where", "adapter", "adapter.lr", "adapter.layers", "table", "<<"]


def cut(text: str, rng: random.Random) -> str:
    return text[: rng.randrange(len(text))]


def lines(text: str, rng: random.Random) -> str:
    """A line deleted, given twice, moved, or indented otherwise."""
    rows = text.splitlines(keepends=True)
    here, there = rng.randrange(len(rows)), rng.randrange(len(rows))
    match rng.randrange(4):
        case 0:
            del rows[here]
        case 1:
            rows.insert(there, rows[here])
        case 2:
            rows[here], rows[there] = rows[there], rows[here]
        case 3:
            rows[here] = " " * rng.randrange(5) + rows[here].lstrip(" ")
    return "".join(rows)


def characters(text: str, rng: random.Random) -> str:
    """Up to three characters replaced by others."""
    for _ in range(rng.randint(1, 3)):
        here = rng.randrange(len(text))
        text = text[:here] + rng.choice([*ODD, *"0123456789abz-.,_ \n"]) + text[here + rng.randint(0, 1) :]
    return text


def values(text: str, rng: random.Random) -> str:
    """A value replaced, or a key renamed, in a file that stays YAML."""
    document = yaml.safe_load(text)
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        for key in node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
            places.append((node, key))
            walk(node[key])

    walk(document)
    for _ in range(rng.randint(1, 2)):
        node, key = rng.choice(places)
        if isinstance(node, dict) and rng.random() < 0.3:
            node[rng.choice(NAMES)] = node.pop(key, None)
        else:
            node[key] = rng.choice(VALUES)
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=rng.random() < 0.5)


def fields(text: str, rng: random.Random) -> str:
    """Some of all the names that can be swept, with values."""
    document = yaml.safe_load(text)
    chosen = {rng.choice(FIELDS): rng.choice(VALUES) for _ in range(rng.randint(1, 2))}
    return yaml.safe_dump(document | {"fixed": chosen}, sort_keys=False)


def search(text: str, rng: random.Random) -> str:
    """A value within what is searched replaced or added."""
    document = yaml.safe_load(text)
    asked = document["search"]
    place = rng.choice([asked, asked["distributions"], *asked["distributions"].values()])
    place[rng.choice([*place, *NAMES, *SEARCH_NAMES])] = rng.choice([*place.values(), *VALUES, *SEARCH_VALUES])
    return yaml.safe_dump(document, sort_keys=False)


MUTATORS: list[Callable[[str, random.Random], str]] = [
    cut, lines, lines, characters, characters, *[values] * 3, *[fields] * 3,
]  # fmt: skip


@pytest.fixture(scope="module")
def spaces(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("mutated"))
    shutil.copytree(SPACES, made.path, dirs_exist_ok=True)
    return made


@pytest.mark.parametrize("seed", range(MUTATIONS))
def test_a_mutated_space_is_planned_or_refused(spaces: Project, seed: int) -> None:
    rng = random.Random(seed)
    file = rng.choice(FILES)
    check(spaces, file, rng.choice(MUTATORS)((SPACES / file).read_text(), rng))


@pytest.mark.parametrize("seed", range(MUTATIONS))
def test_a_mutated_search_is_planned_or_refused(spaces: Project, seed: int) -> None:
    rng = random.Random(seed)
    file = rng.choice(SEARCHED)
    check(spaces, file, search((SPACES / file).read_text(), rng))


def check(spaces: Project, file: Path, text: str) -> None:
    """Exit code 0 and a plan, or 2 and one message; nothing is written."""
    written = spaces.path / file.parent / "mutated.yaml"
    written.write_bytes(text.encode("utf-8", "surrogatepass"))
    done = spaces.sweeper("plan", str(written), "--seeds", "0")
    if done.returncode:
        assert done.returncode == 2
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("error: ") == 1
        assert done.stdout == ""
    else:
        assert done.stdout
        assert done.stderr == ""
    assert not (Path(spaces.path) / "runs").exists()
