import hashlib
import pickle

import pytest
import torch

from sweeper.errors import InvalidConfig, SweeperError
from trainables.common.metrics.fid_weights import load_inception, weights_digest
from trainables.common.nets.inception import Inception


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    """Tensors of the network's shapes, each of a number of its own that fills it: small files."""
    with torch.device("meta"):
        shapes = {name: value.shape for name, value in Inception().state_dict().items()}
    return {name: torch.tensor(float(i)).expand(shape) for i, (name, shape) in enumerate(shapes.items())}


@pytest.fixture
def saved(tmp_path):
    """Save something as a weights file."""

    def _save(content: object, **options: object) -> str:
        path = tmp_path / "inception.pth"
        torch.save(content, path, **options)
        return str(path)

    return _save


def test_the_network_comes_back_as_saved_and_ready_for_use(saved, state) -> None:
    weights = saved(state)
    net = load_inception(weights, weights_digest(weights))
    assert not net.training
    assert not any(each.requires_grad for each in net.parameters())
    for name, value in net.state_dict().items():
        assert name.endswith("num_batches_tracked") or torch.equal(value, state[name])


def test_files_of_the_time_of_the_port_are_read(saved, state) -> None:
    old = {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}
    weights = saved(old, _use_new_zipfile_serialization=False)
    net = load_inception(weights, weights_digest(weights))
    assert torch.equal(net.fc.bias, state["fc.bias"])


def test_a_file_is_known_by_its_content(saved, state, tmp_path) -> None:
    weights = saved(state)
    digest = weights_digest(weights)
    assert digest == hashlib.sha256((tmp_path / "inception.pth").read_bytes()).hexdigest()
    (tmp_path / "inception.pth").unlink()
    assert weights_digest(weights) == digest  # read once per process


def test_a_file_exchanged_after_planning_is_not_used(saved, state) -> None:
    weights = saved(state)
    digest = weights_digest(weights)
    saved({**state, "fc.bias": state["fc.bias"] + 1})
    with pytest.raises(SweeperError, match="no longer the file"):
        load_inception(weights, digest)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"fc.bias": None}, r"fc\.bias"),
        ({"Mixed_5b.branch1x1.conv.weight": torch.zeros(64, 192, 3, 3)}, r"Mixed_5b\.branch1x1\.conv\.weight"),
        ({"AuxLogits.fc.bias": torch.zeros(1000)}, r"AuxLogits\.fc\.bias"),
    ],
)
def test_a_tensor_missing_of_another_shape_or_unknown_is_named(saved, state, change, wrong) -> None:
    weights = saved({name: value for name, value in {**state, **change}.items() if value is not None})
    with pytest.raises(InvalidConfig, match=rf"quality\.weights: .*{wrong} \(of 1\)"):
        weights_digest(weights)


@pytest.mark.parametrize("content", [torch.zeros(3), {}, {"fc.bias": "text"}, [1, 2]])
def test_tensors_of_something_else_are_no_network(saved, content) -> None:
    with pytest.raises(InvalidConfig, match=r"quality\.weights: .* does not hold the FID's Inception network"):
        weights_digest(saved(content))


class Harmful:
    ran = False

    def __reduce__(self):
        return setattr, (Harmful, "ran", True)


@pytest.mark.parametrize("content", [b"", b"not weights", pickle.dumps(Harmful(), 2)], ids=["empty", "text", "pickle"])
def test_a_file_of_something_else_is_refused_and_nothing_in_it_runs(tmp_path, content) -> None:
    (tmp_path / "weights.pth").write_bytes(content)
    with pytest.raises(InvalidConfig, match=r"quality\.weights: .* is not a file of tensors"):
        weights_digest(str(tmp_path / "weights.pth"))
    assert not Harmful.ran


def test_a_missing_file_is_told(tmp_path) -> None:
    for path in (tmp_path / "nowhere.pth", tmp_path):
        with pytest.raises(InvalidConfig, match=r"quality\.weights: .* cannot be read"):
            weights_digest(str(path))
