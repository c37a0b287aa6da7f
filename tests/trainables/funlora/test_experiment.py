from collections import Counter
from itertools import combinations

import pytest
from inline_snapshot import snapshot

from sweeper.planning.graph import collect
from sweeper.trainable.stage import InvalidConfig, Stage
from tests.masked import masked
from tests.project import Project
from trainables.common.tasks import task_stream
from trainables.funlora.config import CIFAR10, CIFAR100, DIGITS, IMAGENET100, PRESETS, Config
from trainables.funlora.experiment import check, facts, run, steps
from trainables.funlora.numbers import PARTS

VANILLA = {"adapter__functions": "none"}
RAISED = {**VANILLA, "adapter__raised": "45,48"}
LORA_ATTENTION = {
    **VANILLA,
    "adapter__layers": "attention",
    "adapter__operation": "add",
    "adapter__rank": 2,
}
PUBLISHED_PPC = {
    "0-64": 34054,
    "5-54": 29440,
    "15-44": 18432,
    "15-54": 24832,
    "25-44": 13312,
    "25-54": 19712,
    "35-54": 13056,
    "40-54": 9728,
    "45-54": 6400,
    "40-49": 6656,
    "45-49": 3328,
}
FUNCTIONS_PPC = {  # on layers 0-64 and 40-54
    "vanilla_add": (35590, 11264),
    "vanilla_mul": (35590, 11264),
    "rshift": (34704, 9878),
    "cosine": (34704, 9878),
    "cosine_learned": (35354, 10028),
    "power": (34704, 9878),
    "power_learned": (35354, 10028),
}
RATIO_PPC = {1: (10028, 13), 2: (5164, 7), 4: (2732, 4), 8: (1516, 2), 16: (908, 1)}


def changed(config: Config, **values: object) -> Config:
    """The config with dotted names set, the dots written as double underscores."""
    for name, value in values.items():
        section, _, inner = name.partition("__")
        value = getattr(config, section).model_copy(update={inner: value}) if inner else value
        config = config.model_copy(update={section: value})
    return config


def stages(config: Config, label: str) -> list[Stage]:
    """The unique stages of one function, in the order of the graph."""
    found: dict[str, Stage] = {}
    collect(run(config), found)
    return [stage for stage in found.values() if stage.function.label == label]


def ancestors(stage: Stage) -> set[Stage]:
    found: dict[str, Stage] = {}
    collect(stage, found)
    return set(found.values())


def ppc(config: Config, **values: object) -> float:
    return facts(changed(config, **values))["ppc"]


@pytest.mark.parametrize(("layers", "published"), PUBLISHED_PPC.items(), ids=PUBLISHED_PPC.keys())
def test_the_parameters_per_class_of_every_range_of_layers_are_the_published_ones(layers, published) -> None:
    assert ppc(CIFAR100, adapter__layers=layers, **VANILLA) == published


@pytest.mark.parametrize(("name", "published"), FUNCTIONS_PPC.items(), ids=FUNCTIONS_PPC.keys())
def test_the_parameters_per_class_of_every_function_are_the_published_ones(name, published) -> None:
    chosen = RAISED if name.startswith("vanilla") else {"adapter__functions": name}
    operation = "add" if name == "vanilla_add" else "mul"
    for layers, count in zip(("0-64", "40-54"), published, strict=True):
        assert ppc(CIFAR100, adapter__layers=layers, adapter__operation=operation, **chosen) == count


@pytest.mark.parametrize(("ratio", "derived"), RATIO_PPC.items())
def test_the_parameters_per_class_of_every_ratio_are_the_derived_ones(ratio, derived) -> None:
    found = facts(changed(CIFAR100, adapter__ratio=ratio))
    assert (found["ppc"], found["image_equivalents"]) == derived


@pytest.mark.parametrize(
    ("preset", "published"),
    [
        (CIFAR10, {"funlora": 10028, "scale_shift": 11776, "lora_attention": 18432}),
        (CIFAR100, {"funlora": 10028, "scale_shift": 11776, "lora_attention": 18432}),
        (IMAGENET100, {"funlora": 13652, "scale_shift": 16128, "lora_attention": 75264}),
    ],
    ids=["cifar10", "cifar100", "imagenet100"],
)
def test_the_parameters_per_class_of_rival_adapters_are_the_published_ones(preset, published) -> None:
    assert {
        "funlora": ppc(preset),
        "scale_shift": ppc(preset, adapter__method="scale_shift", **VANILLA),
        "lora_attention": ppc(preset, **LORA_ATTENTION),
    } == published


@pytest.mark.parametrize(
    ("preset", "method", "layers", "published"),
    [
        (CIFAR100, "lora_conv_v1", "45-47", 12288),
        (CIFAR100, "lora_conv_v2", "41-47", 10752),
        (IMAGENET100, "lora_conv_v1", "46-47", 14976),
        (IMAGENET100, "lora_conv_v2", "48-57", 14208),
    ],
)
def test_the_layers_of_convolutional_loras_meet_the_published_budget(preset, method, layers, published) -> None:
    assert ppc(preset, adapter__method=method, adapter__layers=layers, **VANILLA) == published


@pytest.mark.parametrize(
    ("preset", "published"), [(CIFAR10, 35_841_679), (CIFAR100, 36_609_775), (IMAGENET100, 90_692_631)]
)
def test_the_parameters_of_all_classes_together_are_the_published_ones(preset, published) -> None:
    assert facts(preset)["parameters"] == published


def test_only_adapters_cost_parameters_per_class() -> None:
    assert ppc(CIFAR100, adapter__layers="none", adapter__train_embedding=True) == 0
    multitask = facts(changed(CIFAR100, generator="multitask"))
    assert (multitask["ppc"], multitask["parameters"]) == (0, 35_797_507)
    assert facts(changed(CIFAR100, generator="real")) == {"ppc": 0, "parameters": 0, "image_equivalents": 0}


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS.keys())
def test_layers_out_of_bounds_are_refused_before_anything_runs(preset) -> None:
    with pytest.raises(InvalidConfig) as error:
        facts(changed(preset, adapter__layers="60-67"))
    last = 66 if preset is IMAGENET100 else 64
    assert masked(str(error.value), last=last) == snapshot("""\
adapter.layers: 60-67 is out of bounds
  fix: this backbone's Conv2d layers are 0-{last}\
""")


def test_what_cannot_run_here_is_refused_before_anything_runs(tmp_path) -> None:
    check(DIGITS)
    with pytest.raises(InvalidConfig, match=r"^data\.source: "):
        check(changed(DIGITS, data__source=str(tmp_path / "nowhere")))
    with pytest.raises(InvalidConfig, match=r"^quality\.weights: "):
        check(changed(DIGITS, quality__features="inception"))


def test_there_is_a_base_an_adapter_per_later_class_a_bank_per_class_and_a_classifier_per_task() -> None:
    counts = Counter(stage.function.label for stage in ancestors(run(DIGITS)))
    assert counts == {
        "load_images": 1,
        "train_flow": 1,
        "train_adapter": 8,
        "sample_class": 10,
        "train_classifier": 5,
        "evaluate": 5,
        "held_out_loss": 8,
        "flow_means": 1,
        "matrix_ranks": 1,
        "layer_importance": 1,
        "learned_functions": 1,
        "score": 1,
    }


def test_every_stage_belongs_to_a_part_whose_cost_is_told() -> None:
    config = changed(DIGITS, quality__features="resnet18", quality__grid=True)
    assert {stage.function.part for stage in ancestors(run(config))} == set(PARTS)


def test_the_bounds_have_no_adapters() -> None:
    multitask = changed(DIGITS, generator="multitask")
    assert not stages(multitask, "train_adapter")
    [base] = stages(multitask, "train_flow")
    assert base.params["classes"] == list(range(10))
    banks = stages(multitask, "sample_class")
    assert {(bank.params["label"], bank.inputs["generator"]) for bank in banks} == {
        (label, (base,)) for label in range(10)
    }
    real = changed(DIGITS, generator="real")
    assert {stage.function.label for stage in ancestors(run(real))} == {
        "load_images",
        "train_classifier",
        "evaluate",
        "score",
    }
    for classifier in stages(real, "train_classifier"):
        assert [stage.function.label for stage in classifier.inputs["training"]] == ["load_images"]


def test_quality_compares_every_sample_with_the_real_images_in_the_eyes_of_the_bounds_classifier() -> None:
    config = changed(DIGITS, quality__features="resnet18", samples__chunks=2)
    real, made = stages(config, "resnet18_features")
    assert [stage.function.label for stage in real.inputs["images"]] == ["load_images"]
    assert set(made.inputs["images"]) == set(stages(config, "sample_class"))
    assert real.inputs["classifier"] == made.inputs["classifier"]
    bound = changed(DIGITS, generator="real")
    assert real.inputs["classifier"] in stages(bound, "train_classifier")


def test_the_picture_sets_the_first_chunks_beside_those_of_the_multitask_bound() -> None:
    config = changed(DIGITS, quality__grid=True, samples__chunks=2)
    [picture] = stages(config, "sample_grid")
    assert all(bank.params["chunk"] == 0 for bank in picture.parents())
    bound = changed(DIGITS, generator="multitask")
    assert set(picture.inputs["multitask"]) == set(stages(bound, "sample_class"))


def test_configs_that_differ_in_the_adapter_share_the_base_and_the_first_tasks_banks() -> None:
    other = changed(DIGITS, adapter__layers="0-64")
    assert stages(DIGITS, "train_flow") == stages(other, "train_flow")
    assert not set(stages(DIGITS, "train_adapter")) & set(stages(other, "train_adapter"))
    shared = set(stages(DIGITS, "sample_class")) & set(stages(other, "sample_class"))
    assert {stage.params["label"] for stage in shared} == {0, 1}


@pytest.mark.parametrize(
    "values",
    [{"solver__method": "rk4"}, {"samples__chunk": 7}, {"classifier__epochs": 3}, {"tasks__later": 4}],
    ids=str,
)
def test_what_comes_after_the_adapters_leaves_them_as_they_are(values) -> None:
    other = changed(DIGITS, **values)
    assert run(DIGITS) != run(other)
    assert stages(DIGITS, "train_adapter") == stages(other, "train_adapter")


@pytest.mark.parametrize("values", [{"seed": 1}, {"data__held_out": "validation"}, {"base__lr": 0.5}], ids=str)
def test_what_the_base_is_trained_with_changes_everything_after_it(values) -> None:
    other = changed(DIGITS, **values)
    for label in ("train_flow", "train_adapter", "sample_class"):
        assert not set(stages(DIGITS, label)) & set(stages(other, label))


def test_the_first_classifier_sees_real_images_and_later_ones_all_banks_so_far() -> None:
    config = changed(DIGITS, samples__chunks=2)
    first, *later = sorted(stages(config, "train_classifier"), key=lambda stage: stage.params["task"])
    assert [stage.function.label for stage in first.inputs["training"]] == ["load_images"]
    for task, classifier in enumerate(later, start=1):
        banks = [(bank.params["label"], bank.params["chunk"]) for bank in classifier.inputs["training"]]
        seen = range(2 + 2 * task)
        assert banks == [(label, chunk) for label in seen for chunk in range(2)]
        assert classifier.params["classes"] == list(seen)
    for tested in stages(config, "evaluate"):
        assert tested.inputs["images"].function.label == "load_images"
        assert tested.inputs["classifier"] in (first, *later)


def test_a_bank_is_made_by_the_base_alone_or_with_the_adapter_of_its_class() -> None:
    config = changed(DIGITS, class_order_seed=3)
    [base], tasks = stages(config, "train_flow"), task_stream(10, DIGITS.tasks, 3)
    for bank in stages(config, "sample_class"):
        first, *adapters = bank.inputs["generator"]
        assert first == base
        label = bank.params["label"]
        assert [adapter.params["label"] for adapter in adapters] == ([] if label in tasks[0] else [label])


def test_adapters_and_banks_of_different_classes_depend_on_nothing_of_each_other() -> None:
    for label in ("train_adapter", "sample_class"):
        for one, other in combinations(stages(DIGITS, label), 2):
            common = {stage.function.label for stage in ancestors(one) & ancestors(other)}
            assert common == {"load_images", "train_flow"}


def test_more_chunks_contain_the_first_ones() -> None:
    more = changed(DIGITS, samples__chunks=3)
    assert set(stages(DIGITS, "sample_class")) < set(stages(more, "sample_class"))


def test_orders_with_the_same_first_task_share_its_base_and_the_adapters_of_all_later_classes() -> None:
    orders = {seed: task_stream(10, DIGITS.tasks, seed) for seed in range(200)}
    one, other = next(
        (a, b) for a, b in combinations(orders, 2) if orders[a][0] == orders[b][0] and orders[a] != orders[b]
    )
    first, second = changed(DIGITS, class_order_seed=one), changed(DIGITS, class_order_seed=other)
    assert run(first) != run(second)
    for label in ("train_flow", "train_adapter", "sample_class"):
        assert set(stages(first, label)) == set(stages(second, label))


def tasks_of(config: Config) -> list[list[int]]:
    return run(config).params["tasks"]


def test_the_order_of_classes_has_a_seed_of_its_own() -> None:
    ordered = changed(DIGITS, class_order_seed=3)
    assert tasks_of(ordered) == tasks_of(changed(ordered, seed=1))
    assert tasks_of(ordered) != tasks_of(changed(ordered, class_order_seed=4))
    assert tasks_of(DIGITS) == tasks_of(changed(DIGITS, seed=1)) == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]


def task_of(evaluation: Stage) -> int:
    return evaluation.inputs["classifier"].params["task"]


def test_the_score_knows_the_evaluations_in_the_order_of_tasks_and_the_means_every_bank() -> None:
    config = changed(DIGITS, samples__chunks=2)
    assert [task_of(evaluation) for evaluation in run(config).inputs["evaluations"]] == [0, 1, 2, 3, 4]
    [means] = stages(config, "flow_means")
    assert means in run(config).inputs["measures"]
    assert set(means.inputs["banks"]) == set(stages(config, "sample_class"))
    assert len(means.inputs["banks"]) == 20


def test_after_every_task_the_run_stands_as_if_it_ended_there() -> None:
    on_the_way = steps(DIGITS)
    assert len(on_the_way) == 5
    assert on_the_way[-1] == run(DIGITS)
    for done, step in enumerate(on_the_way, 1):
        assert len(step.inputs["evaluations"]) == done == len(step.params["tasks"])
        assert set(step.inputs["evaluations"]) <= set(run(DIGITS).inputs["evaluations"])


def test_what_a_later_task_needs_is_no_part_of_an_earlier_step() -> None:
    learned = [
        sum(node.function.label == "train_adapter" for node in collect(step, {}).values()) for step in steps(DIGITS)
    ]
    assert learned == [0, 2, 4, 6, 8]
    tested = [
        sum(node.function.label == "held_out_loss" for node in collect(step, {}).values()) for step in steps(DIGITS)
    ]
    assert tested == learned


def test_steps_of_equal_beginnings_are_shared() -> None:
    other = changed(DIGITS, adapter__lr=0.5)
    assert steps(DIGITS)[0] == steps(other)[0]
    assert steps(DIGITS)[1] != steps(other)[1]


def test_work_grows_with_what_is_trained_and_sampled() -> None:
    base, longer = (stages(changed(DIGITS, base__iterations=n), "train_flow")[0] for n in (600, 1200))
    assert longer.work == 2 * base.work
    small, large = (stages(changed(DIGITS, samples__chunk=n), "sample_class")[0] for n in (100, 300))
    assert large.work == 3 * small.work
    early, *_, late = sorted(stage.work for stage in stages(DIGITS, "train_classifier"))
    assert late == 5 * early
    few, many = (
        [stage.work for stage in stages(changed(DIGITS, samples__chunks=n), "train_classifier")[1:]] for n in (1, 10)
    )
    assert many == [10 * work for work in few]


def test_planning_loads_neither_a_solver_nor_a_compiler(project: Project) -> None:
    planned = "from trainables.funlora.experiment import *\nfrom trainables.funlora.config import DIGITS\n"
    seen = "facts(DIGITS), run(DIGITS)\nimport sys; print(sys.modules.keys() & {'torch', 'scipy', 'torch._dynamo'})"
    assert project.python("-c", planned + seen).stdout == "{'torch'}\n"
