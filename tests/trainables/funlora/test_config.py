import subprocess
import sys

import pytest
from pydantic import ValidationError

from trainables.funlora.config import DIGITS, PRESETS, Config


def changed(name: str, value: object) -> Config:
    """The digits preset with one dotted name set, checked anew."""
    values = DIGITS.model_dump()
    *path, last = name.split(".")
    inner = values
    for part in path:
        inner = inner[part]
    inner[last] = value
    return Config.model_validate(values)


def message(name: str, value: object) -> str:
    with pytest.raises(ValidationError) as error:
        changed(name, value)
    return error.value.errors()[0]["msg"]


@pytest.mark.parametrize("layers", ["0-64", "45-45", "none"])
def test_a_range_of_layers_or_none_is_taken(layers) -> None:
    assert changed("adapter.layers", layers).adapter.layers == layers


def test_a_reversed_range_is_answered_with_the_right_one() -> None:
    assert message("adapter.layers", "54-40") == "the range is reversed: write 40-54"
    assert message("adapter.layers", "10-9") == "the range is reversed: write 9-10"


@pytest.mark.parametrize("nonsense", ["last", "40", "40-", "-40-54", "40 - 54", "40-54,60", "4.5-5", "4-5\n"])
def test_what_is_no_range_is_answered_with_an_example(nonsense) -> None:
    assert message("adapter.layers", nonsense) == "expected a range of layer indices such as 40-54, or none"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("tasks.later", 3, "tasks: 2 classes and then 3 at a time do not add up to the data set's 10"),
        ("tasks.first", 11, "tasks: 11 classes and then 2 at a time do not add up to the data set's 10"),
    ],
)
def test_tasks_that_do_not_add_up_are_refused_with_the_sum(name, value, expected) -> None:
    assert message(name, value) == expected


def test_a_single_task_of_all_classes_is_taken() -> None:
    assert changed("tasks.first", 10).tasks.first == 10


def test_an_unknown_name_and_a_value_out_of_range_are_refused() -> None:
    assert message("adapter.rank", 2) == "Extra inputs are not permitted"
    assert message("adapter.ema", 1.0) == "Input should be less than 1"
    assert message("solver.method", "heun") == "Input should be 'euler', 'midpoint', 'rk4' or 'dopri5'"


def test_a_config_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        DIGITS.seed = 1


def test_every_value_is_described() -> None:
    undescribed = [
        f"{model.__name__}.{name}"
        for model in [Config, *(type(value) for _, value in DIGITS if hasattr(value, "model_fields_set"))]
        for name, field in model.model_fields.items()
        if not field.description and not hasattr(field.annotation, "model_fields")
    ]
    assert undescribed == []


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS.keys())
def test_a_preset_passes_its_own_checks_and_trains_longer_than_it_warms_up(preset) -> None:
    assert Config.model_validate(preset.model_dump(mode="json")) == preset
    for training in (preset.base, preset.adapter):
        assert training.warmup <= training.ema_from < training.iterations


def test_the_cifar_preset_follows_the_papers_protocol() -> None:
    config, epoch = PRESETS["cifar100"], -(-20 * 500 // 128)
    assert (config.tasks.first, config.tasks.later) == (20, 20)
    assert config.samples.chunk * config.samples.chunks == 500
    assert (config.base.iterations, config.base.ema_from) == (500 * epoch, 200 * epoch)
    assert (config.adapter.iterations, config.adapter.ema_from) == (300 * epoch, 100 * epoch)


def test_a_config_is_checked_without_loading_torch() -> None:
    code = "import sys, trainables.funlora.config; print({'torch', 'numpy', 'ray'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "set()\n", done.stderr
