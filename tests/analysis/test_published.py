"""Published values stand beside a sweep only under the name of the data set and split that they belong to."""

from pathlib import Path

import pytest

from analysis.formats import render
from analysis.published import published_names, published_table
from analysis.summary import Summary, summarise
from tests.analysis.sweeps import write_sweep
from trainables.funlora.config import PRESETS

RIVALS = ("ddgr", "dgr_diffusion", "guide", "jdcl")


def final(directory: Path, preset: str | None) -> Summary:
    trials = [
        {"trial": "funlora", "case": "funlora", "seed": 0, "parameters": 36e6, "la": 60.0, "aia": 70.0, "target": "0"}
    ]
    described = {"rows": "case", "columns": ["parameters", "la"], "published": "funlora/final", "preset": preset}
    return summarise(write_sweep(directory, trials, **described))


def published(summary: Summary) -> dict[str, float | None]:
    return {str(row.axes["case"]): row.published["la"] for row in summary.rows}


def test_a_preset_of_the_paper_stands_beside_its_own_values(tmp_path: Path) -> None:
    summary = final(tmp_path, "cifar10")
    assert published(summary)["funlora"] == 84.02
    assert published(summary)["ddgr"] == 43.69
    assert summary.heading == "published"
    assert summary.notes[0].startswith("published: CIFAR-10 2-2, Table VI; ")


def test_a_stand_in_stands_beside_values_that_name_their_data_set(tmp_path: Path) -> None:
    summary = final(tmp_path, "digits")
    assert published(summary)["funlora"] == 60.07
    assert "LA % published (CIFAR-100 20-20)" in render(summary, "text")


def test_earlier_results_that_do_not_tell_their_preset_are_taken_for_a_stand_in(tmp_path: Path) -> None:
    assert final(tmp_path, None).heading == "published (CIFAR-100 20-20)"


def test_a_preset_of_the_paper_that_a_table_does_not_cover_has_dashes(tmp_path: Path) -> None:
    trials = [{"trial": "a", "adapter.layers": "40-54", "seed": 0, "ppc": 9728.0, "la": 80.0, "target": "0"}]
    described = {"columns": ["ppc", "la"], "published": "funlora/layer_selection", "preset": "imagenet100"}
    summary = summarise(write_sweep(tmp_path, trials, **described))
    assert [row.published["ppc"] for row in summary.rows] == [None]
    assert render(summary, "csv").splitlines()[1].count("9728") == 1
    assert "—" in render(summary, "text")
    assert summary.notes[0] == (
        "published: nothing for this data set; the values of Table I, vanilla multiplicative rank-1 adapters are for "
        "CIFAR-100"
    )


def test_every_preset_of_a_table_is_a_preset_of_the_trainable() -> None:
    covered = {preset for name in published_names() for preset in PRESETS if published_table(name, preset).belongs}
    assert covered == set(PRESETS) - {"digits"}


def test_rivals_have_their_parameters_of_each_data_set() -> None:
    tables = {preset: published_table("funlora/final", preset).values["parameters"] for preset in PRESETS}
    assert {tables["imagenet100"][rival] for rival in RIVALS} == {295_000_000}
    assert {tables["cifar10"][rival] for rival in RIVALS} == {52_400_000}
    assert "diffclass" not in tables["cifar10"]


@pytest.mark.parametrize("name", ["final", "operations", "solver_nfe"])
def test_last_accuracies_are_not_filed_as_averages(name: str) -> None:
    table = published_table(f"funlora/{name}", "cifar100")
    assert "la" in table.columns
    assert table.lost == ["aia"]
    assert "last" in table.source
