"""The hash of the code that a stage runs."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sweeper.trainable import source

Write = Callable[..., str]


def forget() -> None:
    for each in (source.closure, source.source_hash, source._is_users, source._path, source._read):
        each.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] in ("lab", "office", "tools")]:
        del sys.modules[name]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write files below the working directory, and hash ``lab.experiment`` anew."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def written(**files: str) -> str:
        for name, text in files.items():
            path = tmp_path / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(exist_ok=True)
            (path.parent / "__init__.py").touch()
            path.write_text(text)
        forget()
        return source.source_hash("lab.experiment")

    yield written
    forget()


@pytest.mark.parametrize(
    "line",
    [
        "from .train import fit",
        "from . import train",
        "from lab.train import fit",
        "import lab.train",
        "from .train import *",
    ],
)
def test_code_of_the_own_package_counts_however_it_is_imported(write: Write, line: str) -> None:
    before = write(lab__experiment=line, lab__train="def fit(): return 1")
    assert write(lab__train="def fit(): return 2") != before


def test_code_counts_at_any_depth_and_inside_functions(write: Write) -> None:
    before = write(
        lab__experiment="def run():\n    from .train import fit", lab__train="import lab.model", lab__model="A = 1"
    )
    assert write(lab__model="A = 2") != before


def test_code_of_the_users_other_packages_and_modules_counts(write: Write) -> None:
    before = write(lab__experiment="import office.data\nimport tools", office__data="A = 1", tools="B = 1")
    changed = write(office__data="A = 2")
    assert changed != before
    assert write(tools="B = 2") not in (before, changed)


def test_the_packages_that_hold_a_module_count(write: Write, tmp_path: Path) -> None:
    before = write(lab__experiment="from .parts.train import fit")
    (tmp_path / "lab" / "parts").mkdir()
    (tmp_path / "lab" / "parts" / "__init__.py").write_text("SCALE = 1")
    (tmp_path / "lab" / "parts" / "train.py").write_text("def fit(): ...")
    with_parts = write()
    (tmp_path / "lab" / "parts" / "__init__.py").write_text("SCALE = 2")
    assert len({before, with_parts, write()}) == 3


def test_installed_packages_and_the_standard_library_are_not_hashed(write: Write) -> None:
    write(lab__experiment="import json\nimport click\nimport sweeper.cli.main")
    assert [each.name for each in source.closure("lab.experiment")] == ["lab", "lab.experiment"]


def test_what_only_a_type_checker_imports_does_not_count(write: Write) -> None:
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .train import Fit"
    before = write(lab__experiment=text, lab__train="class Fit: A = 1")
    assert write(lab__train="class Fit: A = 2") == before


def test_comments_docstrings_and_formatting_do_not_count(write: Write) -> None:
    before = write(lab__experiment="def run():\n    '''Runs.'''\n    return 1")
    assert write(lab__experiment="def run():\n    # quickly\n    '''Runs it.'''\n    return (1)") == before


def test_a_file_with_a_mistake_is_hashed_as_it_is(write: Write) -> None:
    before = write(lab__experiment="from . import broken", lab__broken="def (")
    assert write(lab__broken="def )") != before


def test_docstrings_of_attributes_and_constants_do_not_count(write: Write) -> None:
    before = write(lab__experiment="RATE = 1\n'''Of learning.'''\nclass Fit:\n    steps: int\n    '''At most.'''")
    assert write(lab__experiment="RATE = 1\nclass Fit:\n    steps: int\n    '''Their number.'''") == before
    assert write(lab__experiment="RATE = 2\nclass Fit:\n    steps: int") != before
