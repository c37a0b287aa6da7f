import json
import math
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
import torch

from tests.trainables.funlora import naive
from tests.trainables.funlora.tiny_adapter import settings, write_adapter
from tests.trainables.tiny_network import TINY
from trainables.common.nets.unet import UNet
from trainables.funlora.adapters import new_adapter
from trainables.funlora.inspection import layer_importance, learned_functions, matrix_ranks
from trainables.funlora.settings import Adapter

Values = dict[str, torch.Tensor]
LAYER = "input_blocks.2.0.conv1"  # layer 4, 8 channels to 16


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """The artifact of an adapter with these values."""

    def _written(name: str, adapter: Adapter, values: Values, label: int = 7) -> Path:
        return write_adapter(tmp_path / name, adapter, label, values, torch.zeros(32))

    return _written


def rows(path: Path) -> list[dict[str, object]]:
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all().to_pylist()


def started(net: UNet, adapter: Adapter, seed: int = 0) -> Values:
    torch.manual_seed(seed)
    return new_adapter(net, adapter)


def test_importance_is_the_mean_distance_of_all_entries_from_one(start, net, written) -> None:
    adapter = settings(layers="0,4")
    values = started(net, adapter)
    values["input_conv/A"][:] = torch.tensor([1.5, 0.5, 1, 1, 1, 1, 1, 3]).view(8, 1)
    values["input_conv/B"][:] = -1
    values[f"{LAYER}/A"][:] = 1.25
    run = start()
    layer_importance.body(run, (written("one", adapter, values),), TINY)
    assert rows(run.output / "importance.arrow") == [
        {"layer": 0, "name": "input_conv", "label": 7, "importance": pytest.approx((0.5 + 0.5 + 2 + 2) / 9)},
        {"layer": 4, "name": LAYER, "label": 7, "importance": pytest.approx(16 * 0.25 / 24)},
    ]


@pytest.mark.parametrize("values", [{"functions": "cosine", "p": 4}, {"rank": 2}, {"raised": "4"}], ids=str)
def test_layers_that_have_not_moved_have_no_importance(start, net, written, values) -> None:
    adapter = settings(**values)
    run = start()
    layer_importance.body(run, (written("one", adapter, started(net, adapter)),), TINY)
    importance = {row["layer"]: row["importance"] for row in rows(run.output / "importance.arrow")}
    assert importance == dict.fromkeys(range(25), 0.0)


def ranks_of(start, net, written, scramble, **values: object) -> tuple[list[int], int]:
    adapter = settings(**values)
    run = start()
    matrix_ranks.body(run, (written("one", adapter, scramble(started(net, adapter))),), TINY)
    found = [row["rank"] for row in rows(run.output / "ranks.arrow")]
    return found, json.loads((run.output / "metrics.json").read_text())["max_rank"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, 1),
        ({"rank": 3}, 3),
        ({"operation": "add", "rank": 2}, 2),
        ({"ratio": 2, "rank": 2}, 2),
        ({"functions": "rshift", "p": 3}, 3),
        ({"functions": "rshift", "p": 2, "rank": 2}, 4),
        ({"functions": "rshift", "p": 20}, 8),
        ({"functions": "power", "p": 3}, 3),
    ],
    ids=str,
)
def test_ranks_are_those_of_the_functional_matrices(start, net, written, scrambled, values, expected) -> None:
    assert ranks_of(start, net, written, scrambled, layers="4", **values) == ([expected], expected)


def test_the_largest_rank_is_that_over_layers_and_classes(start, net, written, scrambled) -> None:
    low, high = settings(layers="3-4"), settings(layers="3-4", rank=3, raised="3")
    runs = [written(str(label), each, scrambled(started(net, each)), label) for label, each in ((2, low), (5, high))]
    run = start()
    matrix_ranks.body(run, tuple(runs), TINY)
    found = rows(run.output / "ranks.arrow")
    assert [(row["label"], row["layer"], row["rank"]) for row in found] == [(2, 3, 1), (2, 4, 1), (5, 3, 4), (5, 4, 3)]
    assert json.loads((run.output / "metrics.json").read_text()) == {"max_rank": 4}


@pytest.mark.parametrize(("second", "expected"), [(1.8e-6, 1), (2.0e-6, 2)])  # 16 channels * 1.19e-7 = 1.9e-6
@pytest.mark.parametrize("first", [1.0, 100.0])
def test_a_direction_below_the_precision_of_float32_is_no_rank(start, written, first, second, expected) -> None:
    a, b = torch.zeros(16, 2), torch.zeros(2, 8)
    a[0, 0], b[0, 0] = first, 1.0
    a[1, 1], b[1, 1] = first * second, 1.0  # the singular values of AB are these two
    run = start()
    adapter = written("one", settings(layers="4", rank=2), {f"{LAYER}/A": a, f"{LAYER}/B": b})
    matrix_ranks.body(run, (adapter,), TINY)
    assert rows(run.output / "ranks.arrow")[0]["rank"] == expected


def test_an_adapter_that_adds_nothing_has_rank_zero(start, net, written) -> None:
    adapter = settings(layers="4", operation="add")
    run = start()
    matrix_ranks.body(run, (written("one", adapter, started(net, adapter)),), TINY)
    assert rows(run.output / "ranks.arrow")[0]["rank"] == 0


@pytest.mark.parametrize("functions", ["none", "rshift", "cosine_learned"])
def test_ranks_are_those_of_the_naive_matrix_of_every_layer(start, net, written, scrambled, functions) -> None:
    adapter = settings(functions=functions, p=3, rank=2, ratio=2)
    values = {name: value.float() for name, value in scrambled(started(net, adapter)).items()}
    run = start()
    matrix_ranks.body(run, (written("one", adapter, values),), TINY)
    for row in rows(run.output / "ranks.arrow"):
        learned = {part: value.double() for part, value in naive.of_layer(values, row["name"]).items()}
        matrix = naive.factor(adapter, learned, *net.get_submodule(row["name"]).weight.shape[:2])
        singular = torch.linalg.svdvals(matrix)
        assert row["rank"] == int((singular > max(matrix.shape) * 2.0**-23 * singular[0]).sum())


def functions_of(start, written, adapter: Adapter, values: Values) -> list[dict[str, object]]:
    run = start()
    learned_functions.body(run, (written("one", adapter, values),), TINY)
    return rows(run.output / "functions.arrow")


def test_learned_functions_are_listed_beside_their_initial_values(start, net, written) -> None:
    adapter = settings(layers="4", functions="cosine_learned", p=3)
    values = started(net, adapter)
    values[f"{LAYER}/lambda"][:] = torch.tensor([0.5, -2.0, 4.0])
    values[f"{LAYER}/omega"][:] = torch.tensor([1.5, 2.25, 3.0])
    norm = sum(math.cos(j) ** 2 for j in (1, 2, 3))
    expected = [(1, 0.5, 1.5), (2, -2.0, 2.25), (3, 4.0, 3.0)]
    assert functions_of(start, written, adapter, values) == [
        {
            "layer": 4,
            "name": LAYER,
            "label": 7,
            "function": i,
            "lambda": weight,
            "omega": omega,
            "initial_lambda": pytest.approx(3 * math.cos(i) / norm),
            "initial_omega": i,
        }
        for i, weight, omega in expected
    ]


def test_fixed_frequencies_are_listed_as_they_are(start, net, written) -> None:
    adapter = settings(layers="4", functions="power", p=2)
    values = {**started(net, adapter), f"{LAYER}/lambda": torch.tensor([0.5, 3.0])}
    found = functions_of(start, written, adapter, values)
    assert [(row["lambda"], row["omega"], row["initial_lambda"], row["initial_omega"]) for row in found] == [
        (0.5, 1, 1, 1),
        (3.0, 2, 1, 2),
    ]


@pytest.mark.parametrize("operation", ["add", "mul_add"])
def test_ponderations_of_an_adapter_that_adds_start_at_zero(start, net, written, operation) -> None:
    adapter = settings(layers="4", functions="cosine", p=2, operation=operation)
    found = functions_of(start, written, adapter, started(net, adapter))
    assert [(row["lambda"], row["initial_lambda"]) for row in found] == [(0, 0), (0, 0)]


def test_shifts_have_no_frequencies(start, net, written) -> None:
    adapter = settings(layers="4", functions="rshift", p=2)
    found = functions_of(start, written, adapter, started(net, adapter))
    assert [row["function"] for row in found] == [1, 2]
    assert {row["omega"] for row in found} == {row["initial_omega"] for row in found} == {None}
    assert [row["lambda"] for row in found] == [row["initial_lambda"] for row in found] == [1, 1]


def test_rows_come_by_class_as_given_and_within_it_from_the_image_to_the_velocity(start, net, written) -> None:
    adapter = settings(layers="attention,18-20,0-1", functions="cosine", p=2)
    adapters = tuple(written(str(label), adapter, started(net, adapter), label) for label in (9, 2))
    order = [name for name, _ in net.named_modules()]
    for stage, file, each in (
        (matrix_ranks, "ranks", 1),
        (layer_importance, "importance", 1),
        (learned_functions, "functions", 2),
    ):
        run = start(file)
        stage.body(run, adapters, TINY)
        found = rows(run.output / f"{file}.arrow")
        assert [row["label"] for row in found] == [9] * 13 * each + [2] * 13 * each
        names = [row["name"] for row in found[: 13 * each]]
        assert names == sorted(names, key=order.index)
        assert [row["name"] for row in found[13 * each :]] == names


def test_projections_of_attention_have_a_name_and_no_index(start, net, written) -> None:
    adapter = settings(layers="attention,24")
    run = start()
    layer_importance.body(run, (written("one", adapter, started(net, adapter)),), TINY)
    found = [(row["layer"], row["name"]) for row in rows(run.output / "importance.arrow")]
    assert found[:2] == [(None, "input_blocks.2.1.qkv"), (None, "input_blocks.2.1.projection")]
    assert found[-1] == (24, "output_conv")
    assert len(found) == 9


def test_tables_have_the_same_columns_whatever_is_null(start, net, written) -> None:
    schemas = []
    for index, values in enumerate([{"functions": "rshift", "layers": "attention"}, {"functions": "cosine"}]):
        adapter = settings(p=2, **values)
        run = start(f"run {index}")
        learned_functions.body(run, (written(str(index), adapter, started(net, adapter)),), TINY)
        with pa.memory_map(str(run.output / "functions.arrow")) as source:
            schemas.append(pa.ipc.open_file(source).schema)
    assert schemas[0] == schemas[1]
