import json

import numpy as np
import pytest
import scipy.linalg
import torch
from inline_snapshot import snapshot
from inline_snapshot.extra import raises
from safetensors.torch import save_file

from trainables.common.metrics import quality
from trainables.common.metrics.quality import compare_features, frechet_distance, precision_recall


def gaussian(count: int, mean: torch.Tensor, root: torch.Tensor, seed: int) -> torch.Tensor:
    """Points whose sample mean is ``mean`` and whose sample covariance is ``root root^T``, to rounding."""
    noise = torch.randn(count, len(mean), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    noise -= noise.mean(0)
    lower = torch.linalg.cholesky(noise.T @ noise / (count - 1))
    return torch.linalg.solve_triangular(lower, noise.T, upper=False).T @ root.T + mean


def vector(*numbers: float) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def points(*numbers: float) -> torch.Tensor:
    return torch.tensor(numbers)[:, None]


def test_the_distance_of_gaussians_on_a_line_is_that_of_means_and_deviations() -> None:
    real = gaussian(40, vector(1), vector(2)[None], 0)
    synthetic = gaussian(70, vector(-3), vector(5)[None], 1)
    assert frechet_distance(real, synthetic) == pytest.approx(4**2 + 3**2, rel=1e-12)


def test_along_shared_axes_the_distance_is_that_of_each_axis() -> None:
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64))[0]
    real = gaussian(50, vector(0, 1, 2), turn @ vector(1, 2, 3).diag(), 0)
    synthetic = gaussian(60, vector(1, 3, 2), turn @ vector(2, 0.5, 3).diag(), 1)
    assert frechet_distance(real, synthetic) == pytest.approx((1 + 4) + (1 + 1.5**2), rel=1e-12)


def test_the_distance_is_that_of_the_definition_for_any_covariances() -> None:
    generator = torch.Generator().manual_seed(3)
    roots = torch.randn(2, 16, 16, generator=generator, dtype=torch.float64)
    means = torch.randn(2, 16, generator=generator, dtype=torch.float64)
    sets = [gaussian(100 + i, mean, root, i) for i, (mean, root) in enumerate(zip(means, roots, strict=True))]
    first, second = (root @ root.T for root in roots)
    middle = np.real(scipy.linalg.sqrtm((first @ second).numpy())).trace()
    expected = (means[0] - means[1]).square().sum() + first.trace() + second.trace() - 2 * middle
    assert frechet_distance(*sets) == pytest.approx(float(expected), rel=1e-10)


def test_equal_sets_have_no_distance() -> None:
    one = torch.randn(300, 20, generator=torch.Generator().manual_seed(0))
    assert 0 <= frechet_distance(one, one) < 1e-10


def test_fewer_points_than_dimensions_have_the_distance_of_their_singular_covariances() -> None:
    generator = torch.Generator().manual_seed(4)
    real, synthetic = torch.randn(20, 64, generator=generator).relu(), 2 * torch.randn(30, 64, generator=generator)
    spread = [(x.double() - x.double().mean(0)) / (len(x) - 1) ** 0.5 for x in (real, synthetic)]
    # The trace of the root of a product of covariances, as the singular values of a product of the spreads.
    middle = torch.linalg.svdvals(spread[0] @ spread[1].T).sum()
    traces = sum(each.square().sum() for each in spread)
    expected = (real.double().mean(0) - synthetic.double().mean(0)).square().sum() + traces - 2 * middle
    assert frechet_distance(real, synthetic) == pytest.approx(float(expected), rel=1e-6)
    assert 0 <= frechet_distance(real, real) < 1e-5


def test_moments_are_summed_in_double_precision_however_many_points_at_a_time(monkeypatch) -> None:
    generator = torch.Generator().manual_seed(5)
    sets = torch.randn(23, 4, generator=generator), torch.randn(31, 4, generator=generator)
    exact = frechet_distance(*(each.double() for each in sets))
    assert frechet_distance(*sets) == exact
    monkeypatch.setattr(quality, "POINTS", 10)
    assert frechet_distance(*sets) == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize(
    ("neighbours", "precision", "recall"),
    [
        # Real balls [-1, 1] [0, 2] [1, 3] [2, 18]; synthetic balls [2, 4] [3, 5] [4, 56].
        (1, 2 / 3, 2 / 4),
        # Real balls [-2, 2] [0, 2] [0, 4] [1, 19]; synthetic balls [-24, 30] [-22, 30] [3, 57].
        (2, 2 / 3, 4 / 4),
    ],
)
def test_precision_and_recall_on_a_line(neighbours, precision, recall) -> None:
    real, synthetic = points(0.0, 1, 2, 10), points(3.0, 4, 30)
    assert precision_recall(real, synthetic, neighbours) == pytest.approx((precision, recall))
    assert precision_recall(synthetic, real, neighbours) == pytest.approx((recall, precision))


def test_balls_are_round() -> None:
    real = torch.tensor([[0.0, 0], [2, 0]])
    synthetic = torch.tensor([[0.0, 2], [1, 1.7], [-1.5, 1.5], [9, 9]])
    assert precision_recall(real, synthetic, 1)[0] == 2 / 4


def test_points_that_coincide_are_neighbours_and_lie_in_each_others_balls() -> None:
    real, synthetic = points(0.0, 0, 0, 5), points(0.0, -0.5, 0, 7)
    assert precision_recall(real, synthetic, 2)[0] == 3 / 4  # the balls: a point, three times, and [0, 10]
    assert precision_recall(real[:3], synthetic, 2)[0] == 2 / 4


def test_points_that_coincide_do_so_far_from_the_origin_too() -> None:
    one = 10 + torch.randn(60, 100, generator=torch.Generator().manual_seed(0))
    near = one + 1e-3
    assert precision_recall(one.repeat(4, 1), torch.cat([one, near, near]), 3)[0] == pytest.approx(1 / 3)


def test_equal_sets_lie_in_each_other() -> None:
    one = torch.randn(50, 30, generator=torch.Generator().manual_seed(0))
    assert precision_recall(one, one.flip(0), 3) == (1, 1)


def test_the_rows_held_at_a_time_change_nothing(monkeypatch) -> None:
    generator = torch.Generator().manual_seed(0)
    sets = torch.randn(67, 3, generator=generator), 1.2 * torch.randn(45, 3, generator=generator) + 0.3
    whole = precision_recall(*sets, 3)
    assert 0.2 < min(whole) <= max(whole) < 1
    for rows in (1, 7, 45):
        monkeypatch.setattr(quality, "ROWS", rows)
        assert precision_recall(*sets, 3) == whole


@pytest.fixture
def features(tmp_path):
    """Artifacts of the features 0, 1, 2, 10 and 3, 4, 30."""
    for name, numbers in (("real", (0.0, 1, 2, 10)), ("synthetic", (3.0, 4, 30))):
        (tmp_path / name).mkdir()
        save_file({"features": points(*numbers)}, tmp_path / name / "features.safetensors")
    return tmp_path / "real", tmp_path / "synthetic"


@pytest.mark.parametrize("name", ["fd", "fid"])
def test_the_measures_of_two_sets_are_written_under_the_name_of_the_distance(start, features, name) -> None:
    run = start()
    compare_features.body(run, *features, 1, name)
    deviations = [np.std(numbers, ddof=1) for numbers in ([0, 1, 2, 10], [3, 4, 30])]
    distance = (37 / 3 - 13 / 4) ** 2 + (deviations[0] - deviations[1]) ** 2
    written = json.loads((run.output / "metrics.json").read_text())
    assert written == pytest.approx({name: distance, "precision": 2 / 3, "recall": 2 / 4})


def test_a_second_comparison_has_the_same_bytes(start, features) -> None:
    first, second = start("first"), start("second")
    for run in (first, second):
        compare_features.body(run, *features, 2, "fd")
    assert (first.output / "metrics.json").read_bytes() == (second.output / "metrics.json").read_bytes()


def test_too_few_images_for_the_neighbours_are_told(start, features) -> None:
    with raises(
        snapshot("""\
SweeperError:
3 synthetic images are too few for 3 nearest neighbours
  fix: take more images, or lower quality.neighbours\
""")
    ):
        compare_features.body(start("few"), *features, 3, "fd")
    with raises(
        snapshot("""\
SweeperError:
4 real images are too few for 5 nearest neighbours
  fix: take more images, or lower quality.neighbours\
""")
    ):
        compare_features.body(start("fewer"), *features, 5, "fd")
