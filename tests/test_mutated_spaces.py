"""Whatever a search space says, it is planned or refused with one message; never a traceback."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sweeper.trainable.trainable import dotted_fields
from tests.project import ROOT, Project
from trainables.funlora.config import Config

SPACES = ROOT / "search_spaces"
FILES = sorted(path.relative_to(SPACES) for path in SPACES.rglob("*.yaml"))
FIELDS = [name for name, _ in dotted_fields(Config)]
SEARCHED = [path for path in FILES if "search:" in (SPACES / path).read_text()]
ODD = [*"\x00\ufeff\u2028\té{}[]:|%'\"#@`", "&a ", "*a", "!!int ", "!!set ", "<<: ", "\\ud800"]
VALUES: list[Any] = [
    None,
    True,
    [],
    {},
    [[]],
    {"a": {"b": {"c": 1}}},
    0,
    -1,
    3,
    0.5,
    10**9,
    10**18,
    10**400,
    -(10**18),
    1e308,
    float("inf"),
    float("nan"),
    "",
    "none",
    "0-4",
    "0-99999999999",
    "1" * 5000,
    "9-1",
    "../..",
    "adapter.lr > 1",
    "__import__('os')",
    "\x00",
    "\ud800",
    "a" * 3000,
    [1, 1],
    [1, "a", None],
    ["0-64", 7],
    {"adapter.lr": 1},
    "case",
    "adapter.lr",
    "seed",
    "incremental",
    "funlora",
    "tests",
    "os.path",
    "2001-99-99",
    "1e-3",
    "64GiB",
    b"bytes",
]
SEARCH_VALUES: list[Any] = [
    [0, 1],
    [1, 0],
    [-1, 1],
    [1e-3, 1e-1],
    [0, 10**400],
    [float("nan"), 1],
    [1, 1],
    [0.5, 0.5],
    {"int": [1, 2]},
    {"choice": ["none", "cosine", ["none"], None]},
    {"uniform": [0, 1], "step": 1e-9},
    {"choice": [1, True, 1.0]},
    {"log_uniform": [1e-300, 1e300]},
    {"aia": "maximise"},
    {"ppc": "maximise"},
    {"seconds_saved": "minimise"},
    "case == 'none'",
    "adapter.lr > 'a'",
    "adapter.p in adapter.layers",
    "not 3",
    "tpe",
    "grid",
    "qmc",
    "median",
    "wilcoxon",
    "2h",
    [{"adapter.lr": float("inf")}],
    [{"case": ["none"]}],
    [{}],
    [{"adapter.p": 10**400}],
]
SEARCH_NAMES = [
    "distributions",
    "sampler",
    "pruner",
    "objectives",
    "reference",
    "trials",
    "timeout",
    "enqueue",
    "seed",
    "choice",
    "int",
    "uniform",
    "log_uniform",
    "step",
    "when",
    "adapter.p",
    "adapter.lr",
    "adapter.layers",
    "case",
]
NAMES = ["", "case", "seed", "str", "name", "where", "adapter", "adapter.lr", "adapter.layers", "table", "<<"]


Draw = Callable[[st.SearchStrategy[Any]], Any]


def cut(text: str, draw: Draw) -> str:
    return text[: draw(st.integers(0, len(text)))]


def lines(text: str, draw: Draw) -> str:
    """A line deleted, given twice, swapped with another, or indented otherwise."""
    rows = text.splitlines(keepends=True)
    here, there = (draw(st.integers(0, len(rows) - 1)) for _ in range(2))
    match draw(st.sampled_from(["delete", "repeat", "swap", "indent"])):
        case "delete":
            del rows[here]
        case "repeat":
            rows.insert(there, rows[here])
        case "swap":
            rows[here], rows[there] = rows[there], rows[here]
        case "indent":
            rows[here] = " " * draw(st.integers(0, 4)) + rows[here].lstrip(" ")
    return "".join(rows)


def characters(text: str, draw: Draw) -> str:
    """Up to three characters inserted or replaced by others."""
    for _ in range(draw(st.integers(1, 3))):
        here = draw(st.integers(0, len(text) - 1))
        new = draw(st.sampled_from([*ODD, *"0123456789abz-.,_ \n"]))
        text = text[:here] + new + text[here + draw(st.integers(0, 1)) :]
    return text


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of a document with each of its keys."""
    for key in list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
        yield node, key
        yield from places(node[key])


def values(text: str, draw: Draw) -> str:
    """A value replaced, or a key renamed, in a file that stays YAML."""
    document = yaml.safe_load(text)
    for _ in range(draw(st.integers(1, 2))):
        found = list(places(document))
        node, key = found[draw(st.integers(0, len(found) - 1))]
        if isinstance(node, dict) and draw(st.sampled_from(["value", "value", "key"])) == "key":
            node[draw(st.sampled_from(NAMES))] = node.pop(key)
        else:
            node[key] = draw(st.sampled_from(VALUES))
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=draw(st.booleans()))


def fields(text: str, draw: Draw) -> str:
    """One or two of all the names that can be swept, with values."""
    chosen = draw(st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(VALUES), min_size=1, max_size=2))
    return yaml.safe_dump(yaml.safe_load(text) | {"fixed": chosen}, sort_keys=False)


def search(text: str, draw: Draw) -> str:
    """A value within what is searched replaced or added."""
    document = yaml.safe_load(text)
    asked = document["search"]
    place = draw(st.sampled_from([asked, asked["distributions"], *asked["distributions"].values()]))
    key = draw(st.sampled_from([*place, *NAMES, *SEARCH_NAMES]))
    place[key] = draw(st.sampled_from([*place.values(), *VALUES, *SEARCH_VALUES]))
    return yaml.safe_dump(document, sort_keys=False)


@st.composite
def mutated(draw: Draw, files: list[Path], *mutators: Callable[[str, Draw], str]) -> tuple[Path, str]:
    """A file of search_spaces, and what it says when one mutator has been at it."""
    file = draw(st.sampled_from(files))
    return file, draw(st.sampled_from(mutators))((SPACES / file).read_text(), draw)


@pytest.fixture(scope="module")
def spaces(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("mutated"))
    shutil.copytree(SPACES, made.path, dirs_exist_ok=True)
    return made


@given(mutated(FILES, cut, lines, characters, values, values, fields, fields))
def test_a_mutated_space_is_planned_or_refused(spaces: Project, space: tuple[Path, str]) -> None:
    check(spaces, *space)


@given(mutated(SEARCHED, search))
def test_a_mutated_search_is_planned_or_refused(spaces: Project, space: tuple[Path, str]) -> None:
    check(spaces, *space)


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
