import json
from urllib.parse import unquote

import pytest
from mlflow.entities import Param, Run, RunData, RunInfo

from sweeper.tracking import links
from sweeper.tracking.links import Found


def run(name: str, **params: int) -> Run:
    info = RunInfo(name, "7", "user", "FINISHED", 0, 1, "active")
    return Run(info, RunData(params=[Param(key, str(value)) for key, value in params.items()]))


def compared(found: Found) -> list[str]:
    place, _, query = found.compare("http://here").partition("?runs=")
    ids, _, experiments = query.partition("&experiments=")
    assert (place, experiments) == ("http://here/#/compare-runs", "%5B%227%22%5D")
    assert not set('[]", ') & set(ids)
    return list(json.loads(unquote(ids)))


def test_a_comparison_that_is_cut_short_has_every_row_with_its_first_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Found("7", {f"{row}{seed}": run(f"{row}{seed}", seed=seed) for row in "ab" for seed in (0, 2, 10)})
    assert compared(found) == ["a0", "b0", "a2", "b2", "a10", "b10"]
    monkeypatch.setattr(links, "MAX_COMPARED", 3)
    assert compared(found) == ["a0", "b0", "a2"]


def test_a_comparison_has_all_seeds_of_one_fold_before_the_next_fold() -> None:
    trials = [(seed, fold) for seed in (0, 1) for fold in (0, 1)]
    runs = {f"s{seed}f{fold}": run(f"s{seed}f{fold}", seed=seed, fold=fold) for seed, fold in trials}
    assert compared(Found("7", runs, ["seed", "fold"])) == ["s0f0", "s1f0", "s0f1", "s1f1"]


def test_every_run_has_a_page() -> None:
    found = Found("7", {"40-54 · seed 1": run("abc", seed=1)})
    assert found.links("http://here") == {"40-54 · seed 1": "http://here/#/experiments/7/runs/abc"}
