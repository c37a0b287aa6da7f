"""Figures that a trainable names."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from inline_snapshot import snapshot

from analysis.figures import FIGURES
from analysis.results import Results
from sweeper.errors import SweeperError
from sweeper.records.own_figures import own_figures
from tests.analysis.sweeps import layer_selection
from tests.tiny import trainable

Declare = Callable[[Any], Results]
COST = FIGURES["cost"]


@pytest.fixture
def declare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Declare:
    """Results of the toy trainable with some figures."""

    def _declare(figures: Any) -> Results:
        module = ModuleType("lab")
        module.trainable = replace(trainable, figures=figures)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "lab", module)
        return layer_selection(tmp_path, seeds=1, trainable="lab")

    return _declare


def test_they_are_given_by_name_and_a_trainable_has_none_by_default(declare: Declare) -> None:
    assert trainable.own_figures() == {}
    assert own_figures(declare({"mine": COST})) == {"mine": COST}


@pytest.mark.parametrize("path", ["lab_figures", "lab_figures:OTHER"])
def test_a_path_means_its_module_s_figures_or_what_it_names(
    declare: Declare, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    module = ModuleType("lab_figures")
    module.FIGURES = module.OTHER = {"mine": COST}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "lab_figures", module)
    assert own_figures(declare(path)) == {"mine": COST}


@pytest.mark.parametrize(
    ("figures", "told"),
    [
        (
            "lab_figurs",
            snapshot("""\
the trainable refers to lab_figurs, but there is no module lab_figurs
  fix: correct the path\
"""),
        ),
        (
            {"cost": COST},
            snapshot("""\
figure 'cost' of the trainable has the name of a figure that every sweep has
  fix: rename it\
"""),
        ),
        (
            {"mine": COST.plain},
            snapshot("""\
figure 'mine' of the trainable is not a Drawing
  fix: from analysis.figures import Drawing\
"""),
        ),
    ],
)
def test_figures_that_cannot_be_used_are_refused(declare: Declare, figures: Any, told: str) -> None:
    with pytest.raises(SweeperError) as error:
        own_figures(declare(figures))
    assert str(error.value) == told
