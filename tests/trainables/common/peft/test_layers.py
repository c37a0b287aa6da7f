import pytest
from inline_snapshot import snapshot

from sweeper.trainable.stage import InvalidConfig
from tests.trainables.tiny_network import TINY
from trainables.common.nets.unet import conv_layers, skeleton
from trainables.common.peft.layers import chosen_layers
from trainables.funlora.config import PRESETS

NET = skeleton(TINY, 2)
NAMES = [name for name, _ in conv_layers(NET)]
ATTENTION = [
    f"{block}.1.{projection}"
    for block in ("input_blocks.2", "middle", "output_blocks.0", "output_blocks.1")
    for projection in ("qkv", "projection")
]
BLOCKS = "this backbone has input_conv, input_blocks.0-2, middle.0-2, output_blocks.0-3, output_conv and attention"


def at(*places: int) -> list[str]:
    return [NAMES[place] for place in places]


def within(*blocks: str) -> list[str]:
    return [name for name in NAMES if name in blocks or name.startswith(tuple(f"{block}." for block in blocks))]


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ("0-24", NAMES),
        ("2-4", at(2, 3, 4)),
        ("7-7", at(7)),
        ("7", at(7)),
        ("24", ["output_conv"]),
        ("0-1,23-24", at(0, 1, 23, 24)),
        ("3,5,9-10", at(3, 5, 9, 10)),
        ("none", []),
    ],
)
def test_layers_are_named_by_index_and_by_ranges_with_both_ends(layers, expected) -> None:
    assert chosen_layers(NET, layers) == expected


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ("input_conv", ["input_conv"]),
        ("output_conv", ["output_conv"]),
        ("middle", within("middle")),
        ("middle.0", ["middle.0.conv1", "middle.0.conv2"]),
        ("middle.0-2", within("middle")),
        ("input_blocks", within("input_blocks")),
        ("output_blocks.1", within("output_blocks.1")),
        ("output_blocks.1-3", within("output_blocks.1", "output_blocks.2", "output_blocks.3")),
        ("output_blocks.1.0", [name for name in within("output_blocks.1") if ".1.0." in name]),
        ("input_conv,output_blocks.2,5", at(0, 5, 18, 19, 20)),
    ],
)
def test_layers_are_named_by_the_blocks_that_they_are_in(layers, expected) -> None:
    assert chosen_layers(NET, layers) == expected
    assert expected


def test_a_block_is_not_taken_for_one_whose_number_begins_alike() -> None:
    net = skeleton(PRESETS["cifar100"].backbone, 1)
    assert {name.split(".")[1] for name in chosen_layers(net, "output_blocks.1")} == {"1"}


def test_attention_names_the_projections_of_all_attention_blocks() -> None:
    assert chosen_layers(NET, "attention") == ATTENTION


def test_layers_come_in_registration_order_whatever_the_order_written() -> None:
    assert chosen_layers(NET, "20-21,middle,input_conv,3") == at(0, 3, 7, 8, 9, 10, 20, 21)
    everything = chosen_layers(NET, "attention,13-24,0-12")
    registered = [name for name, module in NET.named_modules() if name in {*NAMES, *ATTENTION}]
    assert everything == registered


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            "3-4,4",
            snapshot("""\
adapter.layers: 4 names input_blocks.2.0.conv1 a second time
  fix: remove the overlap\
"""),
        ),
        (
            "7,middle",
            snapshot("""\
adapter.layers: middle names middle.0.conv1 a second time
  fix: remove the overlap\
"""),
        ),
        (
            "24,24",
            snapshot("""\
adapter.layers: 24 names output_conv a second time
  fix: remove the overlap\
"""),
        ),
        (
            "60-65",
            snapshot("""\
adapter.layers: 60-65 is out of bounds
  fix: this backbone's Conv2d layers are 0-24\
"""),
        ),
        (
            "25",
            snapshot("""\
adapter.layers: 25 is out of bounds
  fix: this backbone's Conv2d layers are 0-24\
"""),
        ),
        (
            "0-1,24-25",
            snapshot("""\
adapter.layers: 24-25 is out of bounds
  fix: this backbone's Conv2d layers are 0-24\
"""),
        ),
        (
            "decoder",
            snapshot("""\
adapter.layers: there is no Conv2d in decoder
  fix: this backbone has input_conv, input_blocks.0-2, middle.0-2, output_blocks.0-3, output_conv and attention\
"""),
        ),
        (
            "output_blocks.4",
            snapshot("""\
adapter.layers: there is no Conv2d in output_blocks.4
  fix: this backbone has input_conv, input_blocks.0-2, middle.0-2, output_blocks.0-3, output_conv and attention\
"""),
        ),
        (
            "output_blocks.0-9999999999",
            snapshot("""\
adapter.layers: there is no Conv2d in output_blocks.4
  fix: this backbone has input_conv, input_blocks.0-2, middle.0-2, output_blocks.0-3, output_conv and attention\
"""),
        ),
        (
            "output_blocks.2-5",
            snapshot("""\
adapter.layers: there is no Conv2d in output_blocks.4
  fix: this backbone has input_conv, input_blocks.0-2, middle.0-2, output_blocks.0-3, output_conv and attention\
"""),
        ),
        (
            "middle.1",
            snapshot("""\
adapter.layers: there is no Conv2d in middle.1
  fix: this backbone has input_conv, input_blocks.0-2, middle.0-2, output_blocks.0-3, output_conv and attention\
"""),
        ),
        (
            "class_embedding",
            snapshot("""\
adapter.layers: there is no Conv2d in class_embedding
  fix: this backbone has input_conv, input_blocks.0-2, middle.0-2, output_blocks.0-3, output_conv and attention\
"""),
        ),
    ],
)
def test_layers_that_cannot_be_adapted_are_refused_with_what_there_is(layers, message) -> None:
    with pytest.raises(InvalidConfig) as error:
        chosen_layers(NET, layers)
    assert str(error.value) == message
    assert error.value.field == "adapter.layers"


@pytest.mark.parametrize("layers", ["30", "3,3", "decoder"])
def test_a_refusal_points_at_the_value_that_the_layers_were_written_in(layers) -> None:
    with pytest.raises(InvalidConfig, match=r"^adapter\.raised: ") as error:
        chosen_layers(NET, layers, field="adapter.raised")
    assert error.value.field == "adapter.raised"


def test_the_papers_0_64_is_every_layer_of_the_cifar_network() -> None:
    net = skeleton(PRESETS["cifar100"].backbone, 1)
    assert chosen_layers(net, "0-64") == [name for name, _ in conv_layers(net)]
    with pytest.raises(InvalidConfig):
        chosen_layers(net, "0-65")


def test_the_papers_40_56_are_five_blocks_of_the_decoder_of_the_imagenet_network() -> None:
    net = skeleton(PRESETS["imagenet100"].backbone, 1)
    names = [name for name, _ in conv_layers(net)]
    layers = chosen_layers(net, "40-56")
    assert layers == chosen_layers(net, "output_blocks.4-8") == names[40:57]
    assert {name.split(".")[1] for name in layers} == {"4", "5", "6", "7", "8"}
    rest = [name for name in names if name not in layers]
    assert not [name for name in rest if name.startswith(("output_blocks.4.", "output_blocks.8."))]
