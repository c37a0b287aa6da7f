"""The search spaces that the project ships."""

from pathlib import Path
from typing import Any

import pytest

from analysis.published import published_table
from sweeper.planning.graph import Graph
from sweeper.space.sweep import load_sweep
from tests.project import ROOT
from trainables.funlora.config import PRESETS

SPACES = ROOT / "search_spaces"
UNEXPLAINED = {("reduction_ratio", (2,))}
"""Printed values that do not follow from the rule that fits all others."""


@pytest.mark.parametrize("path", sorted(SPACES.rglob("*.yaml")), ids=lambda path: str(path.relative_to(SPACES)))
def test_a_shipped_space_can_be_planned(path: Path) -> None:
    graph = Graph.of(load_sweep(path))
    assert graph.stages or all(plan.space.searched for plan in graph.plans)


def test_the_paper_is_one_plan_of_all_its_tables() -> None:
    paper = Graph.of(load_sweep(SPACES / "paper.yaml"))
    elsewhere = {"paper", "pareto", "peft_imagenet100", "final_cifar10", "final_cifar100_10", "final_imagenet100"}
    tables = {path.stem for path in SPACES.glob("*.yaml")} - elsewhere
    assert {plan.space.name for plan in paper.plans} == tables
    alone = sum(len(stages) for plan in paper.plans for stages in plan.per_trial)
    assert len(paper.stages) < alone / 2


@pytest.mark.parametrize(
    ("name", "preset"),
    [
        ("layer_selection", "cifar100"),
        ("functions", "cifar100"),
        ("reduction_ratio", "cifar100"),
        ("peft", "cifar100"),
        ("peft", "cifar10"),
        ("peft_imagenet100", "imagenet100"),
    ],
)
def test_the_parameters_per_class_of_every_row_are_the_published_ones(name: str, preset: str) -> None:
    [space] = load_sweep(SPACES / f"{name}.yaml", preset=preset, seeds="0").spaces
    rows = [space.table.rows] if isinstance(space.table.rows, str) else space.table.rows
    compared = 0
    for trial in space.trials:
        values = tuple(trial.row[row] for row in rows)
        published: Any = published_table(str(space.table.published), preset).values["ppc"]
        for value in values:
            published = published.get(value) if published else None
        if published is not None and (name, values) not in UNEXPLAINED:
            printed_to_ten = round(trial.facts["ppc"] / 10) * 10
            assert published in (trial.facts["ppc"], printed_to_ten), values
            compared += 1
    assert compared >= 4


@pytest.mark.parametrize("preset", ["cifar10", "cifar100", "cifar100_10", "imagenet100"])
@pytest.mark.parametrize("path", sorted(SPACES.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_preset_of_the_paper_keeps_its_own_rates_and_counts(path: Path, preset: str) -> None:
    """Nothing that was chosen for the digits is used where another data set is."""
    own = PRESETS[preset]
    for space in load_sweep(path, preset=preset, seeds="0").spaces:
        points = space.searched.points if space.searched else []
        for trial in [*space.trials, *(space.searched.anchor(point)[0] for point in points)]:
            config: Any = trial.config
            assert (config.base.lr, config.adapter.lr, config.classifier.lr) == (
                own.base.lr,
                own.adapter.lr,
                own.classifier.lr,
            )
            assert config.samples.chunk == own.samples.chunk
            assert config.adapter.iterations == own.adapter.iterations
