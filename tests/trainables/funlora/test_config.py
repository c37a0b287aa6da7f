import subprocess
import sys
from typing import Any

import pytest
import yaml
from inline_snapshot import snapshot
from pydantic import ValidationError

from sweeper.trainable.trainable import dotted_fields
from tests.masked import masked
from trainables.funlora.config import DIGITS, PRESETS, Config
from trainables.funlora.numbers import METRICS

PAPERS = {name: preset for name, preset in PRESETS.items() if name != "digits"}
EXAMPLE = "expected indices such as 40-54, blocks such as output_blocks.5-8, attention, or none"


def with_values(values: dict[str, object]) -> Config:
    """The digits preset with dotted names set, checked anew."""
    config = DIGITS.model_dump()
    for name, value in values.items():
        *path, last = name.split(".")
        inner = config
        for part in path:
            inner = inner[part]
        inner[last] = value
    return Config.model_validate(config)


def changed(name: str, value: object) -> Config:
    return with_values({name: value})


def refusal(values: dict[str, object]) -> Any:
    with pytest.raises(ValidationError) as error:
        with_values(values)
    return error.value.errors()[0]


def message(name: str, value: object) -> str:
    return refusal({name: value})["msg"]


@pytest.mark.parametrize("name", ["layers", "raised"])
@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("0-64", "0-64"),
        ("45-45", "45-45"),
        ("40", "40"),
        (40, "40"),
        ("0-4,40-54", "0-4,40-54"),
        (" 0-4 ,  40-54 ", "0-4,40-54"),
        ([40, "42-44"], "40,42-44"),
        ([7], "7"),
        (["0-4", "output_blocks.5-8", "attention"], "0-4,output_blocks.5-8,attention"),
        (["0-4, 6", 9], "0-4,6,9"),
        ("middle", "middle"),
        ("output_blocks.5-8", "output_blocks.5-8"),
        ("output_blocks.5", "output_blocks.5"),
        ("output_blocks.5.0", "output_blocks.5.0"),
        ("none", "none"),
        (["none"], "none"),
    ],
    ids=str,
)
def test_layers_are_taken_by_index_range_and_block_and_kept_without_spaces(name, written, canonical) -> None:
    assert getattr(changed(f"adapter.{name}", written).adapter, name) == canonical


@pytest.mark.parametrize(
    ("yaml_text", "layers"),
    [
        ("40", "40"),
        ("40-54", "40-54"),
        ("0-4, 40", "0-4,40"),
        ("[0-4, 40, attention]", "0-4,40,attention"),
        ("- output_blocks.5-8\n- 3", "output_blocks.5-8,3"),
        ("none", "none"),
    ],
)
def test_layers_in_a_file_may_be_text_a_number_or_a_list(yaml_text, layers) -> None:
    assert changed("adapter.layers", yaml.safe_load(yaml_text)).adapter.layers == layers


@pytest.mark.parametrize("name", ["adapter.layers", "adapter.raised"])
@pytest.mark.parametrize(
    ("written", "right"),
    [("54-40", "40-54"), ("10-9", "9-10"), ("0-4,54-40", "40-54"), ("output_blocks.8-5", "output_blocks.5-8")],
)
def test_a_reversed_range_is_answered_with_the_right_one(name, written, right) -> None:
    assert masked(message(name, written), right=right) == snapshot("the range is reversed: write {right}")


@pytest.mark.parametrize(
    "nonsense",
    [
        "40-",
        "-40-54",
        "40 - 54",
        "0-4,,5",
        "0-4,",
        "",
        "4.5-5",
        "none,3",
        "output_blocks.",
        "output_blocks.5.0.conv1",
        "Middle",
        "00-4",
        "007",
        "1" * 5000,
        "٤",
        -1,
        4.5,
        True,
        None,
        [],
        ["none", 3],
        [[1, 2], 3],
        {"first": 1},
    ],
    ids=str,
)
def test_what_names_no_layers_is_answered_with_examples(nonsense) -> None:
    assert message("adapter.layers", nonsense) == EXAMPLE


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("tasks.later", 3, snapshot("tasks: 2 classes and then 3 at a time do not add up to the data set's 10")),
        ("tasks.first", 12, snapshot("tasks: 12 classes and then 2 at a time do not add up to the data set's 10")),
        ("data.classes", 11, snapshot("tasks: 2 classes and then 2 at a time do not add up to the data set's 11")),
    ],
)
def test_tasks_that_do_not_add_up_are_refused_with_the_sum(name, value, expected) -> None:
    error = refusal({name: value})
    assert error["msg"] == expected
    assert error["ctx"]["field"] == "tasks"
    assert error["ctx"]["fix"] == snapshot("change tasks.first or tasks.later")


def test_a_single_task_of_all_classes_is_taken() -> None:
    assert changed("tasks.first", 10).tasks.first == 10


@pytest.mark.parametrize("method", ["scale_shift", "lora_conv_v1", "lora_conv_v2"])
@pytest.mark.parametrize(("name", "value", "without"), [("functions", "rshift", "none"), ("ratio", 2, "1")])
def test_a_value_that_a_rival_method_knows_nothing_of_is_refused(method, name, value, without) -> None:
    plain = {"adapter.method": method, "adapter.functions": "none", "adapter.ratio": 1}
    assert with_values(plain).adapter.method == method
    error = refusal({**plain, f"adapter.{name}": value})
    assert masked(error["msg"], method=method, name=name) == snapshot("{method} knows no {name}")
    assert (error["loc"], error["ctx"]["field"]) == (("adapter",), name)
    assert masked(error["ctx"]["fix"], name=name, without=without) == snapshot("set adapter.{name} to {without}")


@pytest.mark.parametrize(("name", "value", "without"), [("rank", 2, "1"), ("raised", "40", "none")])
def test_a_scale_and_a_shift_have_no_rank(name, value, without) -> None:
    plain = {"adapter.method": "scale_shift", "adapter.functions": "none"}
    error = refusal({**plain, f"adapter.{name}": value})
    assert masked(error["msg"], name=name) == snapshot("scale_shift knows no {name}")
    assert masked(error["ctx"]["fix"], name=name, without=without) == snapshot("set adapter.{name} to {without}")


@pytest.mark.parametrize("quality", [{"quality.features": "resnet18"}, {"quality.grid": True}], ids=str)
def test_the_quality_of_samples_is_refused_where_none_are_made(quality) -> None:
    assert with_values({"generator": "real"}).generator == "real"
    assert with_values({"generator": "multitask", **quality}).generator == "multitask"
    error = refusal({"generator": "real", **quality})
    assert error["msg"] == snapshot("quality: the generator 'real' makes no samples")
    assert error["ctx"]["fix"] == snapshot("set quality.features to none and quality.grid to false")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("image_side", 12, snapshot("12 pixels cannot be halved 3 times")),
        ("channels", 20, snapshot("20 channels are odd, or no multiple of 3 groups")),
        ("channels", 9, snapshot("9 channels are odd, or no multiple of 3 groups")),
        ("head_channels", 10, snapshot("10 do not divide 24 channels")),
        ("channel_mult", (1, 0), snapshot("a level is 1 to 64 times as wide as the first")),
        ("channel_mult", (1, 10**18), snapshot("a level is 1 to 64 times as wide as the first")),
    ],
)
def test_a_network_that_cannot_be_built_is_refused(name, value, expected) -> None:
    error = refusal({"backbone.channels": 24, "backbone.norm_groups": 3, f"backbone.{name}": value})
    assert error["msg"] == expected
    assert error["ctx"]["field"] == name


def test_a_narrow_level_has_one_head_of_its_own_width() -> None:
    assert changed("backbone.head_channels", 64).backbone.head_channels == 64


def test_an_unknown_name_and_a_value_out_of_range_are_refused() -> None:
    assert message("adapter.alpha", 2) == snapshot("Extra inputs are not permitted")
    assert message("adapter.ema", 1.0) == snapshot("Input should be less than 1")
    assert message("adapter.p", 0) == snapshot("Input should be greater than or equal to 1")
    assert message("solver.method", "heun") == snapshot("Input should be 'euler', 'midpoint', 'rk4' or 'dopri5'")
    assert message("generator", "replay") == snapshot("Input should be 'incremental', 'multitask' or 'real'")


@pytest.mark.parametrize(
    "name",
    [
        "data.classes",
        "backbone.image_channels",
        "backbone.image_side",
        "backbone.channels",
        "backbone.res_blocks",
        "adapter.p",
        "adapter.rank",
        "samples.chunks",
    ],
)
def test_what_no_machine_could_count_or_plan_is_refused(name) -> None:
    assert message(name, 10**9).startswith("Input should be less than or equal to ")


def test_a_config_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        DIGITS.adapter.rank = 2


def test_every_value_and_number_is_described() -> None:
    fields = dict(dotted_fields(Config))
    assert {"seed", "data.class_list", "backbone.dropout", "base.ema", "adapter.raised", "quality.grid"} <= set(fields)
    assert [name for name, field in fields.items() if not field.description] == []
    assert all(METRICS.values())


LOST = {
    "backbone.dropout": "0",
    "base.lr": "2e-4",
    "adapter.lr": "1e-3",
    "base.ema": "0.9999",
    "adapter.ema": "0.9999",
    "solver.rtol": "1e-5",
    "classifier.lr": "0.1",
    "classifier.momentum": "0.9",
    "classifier.weight_decay": "5e-4",
}


@pytest.mark.parametrize(("name", "fallback"), LOST.items(), ids=list(LOST))
def test_where_the_papers_value_is_lost_the_description_says_what_its_presets_fall_back_on(name, fallback) -> None:
    description = dict(dotted_fields(Config))[name].description
    assert "the paper's is lost" in description
    assert fallback in description.partition("fall back on ")[2].replace(",", " ").split()
    section, _, value = name.partition(".")
    assert {getattr(getattr(preset, section), value) for preset in PAPERS.values()} == {float(fallback)}


def test_the_absolute_tolerance_is_lost_too_and_set_like_the_relative_one() -> None:
    assert "lost and set like rtol" in dict(dotted_fields(Config))["solver.atol"].description
    assert all(preset.solver.atol == preset.solver.rtol for preset in PRESETS.values())


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS.keys())
def test_a_preset_passes_its_own_checks_and_trains_longer_than_it_warms_up(preset) -> None:
    assert Config.model_validate(preset.model_dump(mode="json")) == preset
    for training in (preset.base, preset.adapter):
        assert training.warmup <= training.ema_from < training.iterations


@pytest.mark.parametrize(
    ("name", "split", "tasks", "task_images", "base_epochs", "adapter_epochs", "layers"),
    [
        ("cifar10", (2, 2), 5, 2 * 5000, (500, 200), (300, 100), "40-54"),
        ("cifar100", (20, 20), 5, 20 * 500, (500, 200), (300, 100), "40-54"),
        ("cifar100_10", (10, 10), 10, 10 * 500, (500, 200), (300, 100), "40-54"),
        ("imagenet100", (20, 20), 5, 20 * 1300, (250, 100), (200, 100), "40-56"),
    ],
)
def test_a_preset_follows_the_papers_protocol(
    name, split, tasks, task_images, base_epochs, adapter_epochs, layers
) -> None:
    config, steps = PRESETS[name], -(-task_images // 128)  # an epoch's last batch may be short
    assert (config.tasks.first, config.tasks.later) == split
    assert 1 + (config.data.classes - split[0]) / split[1] == tasks
    assert (config.base.iterations, config.base.ema_from) == (base_epochs[0] * steps, base_epochs[1] * steps)
    assert (config.base.batch, config.base.warmup) == (128, 1000)
    adapter = config.adapter
    assert (adapter.iterations, adapter.ema_from) == (adapter_epochs[0] * steps, adapter_epochs[1] * steps)
    assert adapter.batch == round(128 / split[1])  # the classes of a task share a batch
    assert (adapter.method, adapter.functions, adapter.operation, adapter.layers) == (
        "low_rank",
        "cosine_learned",
        "mul",
        layers,
    )
    assert (adapter.rank, adapter.ratio, adapter.raised, adapter.train_embedding) == (1, 1, "none", False)
    assert config.solver.method == "dopri5"
    assert (config.classifier.epochs, config.classifier.batch, config.classifier.width) == (30, 100, 64)
    assert config.samples.chunk * config.samples.chunks == task_images / split[0]


def test_imagenet100_is_learned_at_64_by_64_pixels_and_cifar_at_its_own_32() -> None:
    sides = {name: (preset.backbone.image_side, preset.backbone.image_channels) for name, preset in PRESETS.items()}
    assert sides == {
        "digits": (8, 1),
        "cifar10": (32, 3),
        "cifar100": (32, 3),
        "cifar100_10": (32, 3),
        "imagenet100": (64, 3),
    }


def test_a_config_is_checked_without_loading_torch() -> None:
    code = "import sys, trainables.funlora; print({'torch', 'numpy', 'ray'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "set()\n", done.stderr
