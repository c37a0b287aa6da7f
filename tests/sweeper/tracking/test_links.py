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
    monkeypatch.setattr(links, "MOST", 3)
    assert compared(found) == ["a0", "b0", "a2"]


def test_seeds_of_the_order_of_classes_come_before_seeds() -> None:
    trials = [(seed, order) for seed in (0, 1) for order in (0, 1)]
    found = Found("7", {f"s{s}o{o}": run(f"s{s}o{o}", seed=s, class_order_seed=o) for s, o in trials})
    assert compared(found) == ["s0o0", "s1o0", "s0o1", "s1o1"]


def test_every_run_has_a_page() -> None:
    found = Found("7", {"40-54 · seed 1": run("abc", seed=1)})
    assert found.links("http://here") == {"40-54 · seed 1": "http://here/#/experiments/7/runs/abc"}
