from pathlib import Path

import pytest
import torch

from tests.trainables.funlora.tiny_adapter import settings, write_adapter
from trainables.common.flow.generator import load_generator
from trainables.funlora.adapters import new_adapter


@pytest.fixture
def adapters(tmp_path, net) -> dict[int, Path]:
    """Adapters of classes 1 and 2 by methods of their own."""
    written = {}
    for label, values in ((1, {"method": "scale_shift"}), (2, {"functions": "rshift", "operation": "add"})):
        adapter = settings(layers="4-9", **values)
        learned = {name: torch.randn_like(value) for name, value in new_adapter(net, adapter).items()}
        written[label] = write_adapter(tmp_path / f"adapter{label}", adapter, label, learned, torch.randn(32))
    return written


def test_a_network_that_is_read_again_is_frozen_and_drops_nothing(base, net) -> None:
    again = load_generator([base], "cpu").net
    assert not again.training
    assert not [name for name, parameter in again.named_parameters() if parameter.requires_grad]
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in net.state_dict().items())


def test_a_generator_makes_every_class_of_its_parts_in_a_way_of_its_own(base, adapters) -> None:
    x, t = torch.randn(2, 1, 8, 8), torch.rand(2)
    whole = load_generator([base, *adapters.values()], "cpu")
    made = {label: whole.velocity(label)(x, t) for label in (0, 1, 2)}
    assert all(not torch.allclose(made[one], made[other]) for one, other in ((0, 1), (0, 2), (1, 2)))
    for label, parts in ((0, [base]), (1, [base, adapters[1]]), (2, [base, adapters[2]])):
        assert torch.equal(load_generator(parts, "cpu").velocity(label)(x, t), made[label])


def test_an_adapter_replaces_the_class_that_the_network_knows(base, adapters) -> None:
    x, t = torch.randn(2, 1, 8, 8), torch.rand(2)
    known = load_generator([base], "cpu").velocity(1)(x, t)
    assert not torch.allclose(load_generator([base, adapters[1]], "cpu").velocity(1)(x, t), known)


def test_a_class_that_no_part_knows_is_refused(base, adapters) -> None:
    with pytest.raises(ValueError, match="the generator does not know class 3"):
        load_generator([base, adapters[2]], "cpu").velocity(3)


def test_parts_in_the_wrong_place_are_refused(base, adapters) -> None:
    with pytest.raises(ValueError, match="holds an adapter and no network"):
        load_generator([adapters[2]], "cpu")
    with pytest.raises(ValueError, match="holds a network and no adapter"):
        load_generator([base, base], "cpu")
