import pytest
import torch

from trainables.common.flow.path import flow_matching_loss, path_sample


@pytest.fixture
def ends() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.randn(5, 2, 3, 4, dtype=torch.float64), torch.randn(5, 2, 3, 4, dtype=torch.float64)


@pytest.mark.parametrize("end", [0, 1])
def test_the_path_leads_from_noise_to_data(ends, end) -> None:
    x_t, _ = path_sample(*ends, torch.full((5,), float(end), dtype=torch.float64))
    assert torch.equal(x_t, ends[end])


def test_every_image_has_its_own_time(ends) -> None:
    x_0, x_1 = ends
    t = torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0], dtype=torch.float64)
    x_t, _ = path_sample(x_0, x_1, t)
    for i in range(5):
        torch.testing.assert_close(x_t[i], x_0[i] + float(t[i]) * (x_1[i] - x_0[i]))


def test_the_velocity_is_the_derivative_of_the_path(ends) -> None:
    t, h = torch.linspace(0.1, 0.9, 5, dtype=torch.float64), 1e-4
    (ahead, _), (behind, _) = path_sample(*ends, t + h), path_sample(*ends, t - h)
    torch.testing.assert_close(path_sample(*ends, t)[1], (ahead - behind) / (2 * h))


def test_the_exact_field_of_a_single_image_has_no_loss_and_no_gradient() -> None:
    torch.manual_seed(0)
    x_1 = torch.randn(1, 1, 4, 4).expand(64, 1, 4, 4)
    scale = torch.ones((), requires_grad=True)

    def exact(x: torch.Tensor, t: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return scale * (x_1 - x) / (1 - t.view(-1, 1, 1, 1))

    loss = flow_matching_loss(exact, x_1, torch.zeros(64))
    loss.backward()
    assert loss.item() < 1e-6
    assert abs(float(scale.grad)) < 1e-3


def test_the_loss_of_the_zero_field_is_the_mean_squared_velocity() -> None:
    torch.manual_seed(0)
    x_1 = torch.full((4096, 1, 4, 4), 0.5)
    loss = flow_matching_loss(lambda x, t, y: torch.zeros_like(x), x_1, torch.zeros(4096))
    assert float(loss) == pytest.approx(0.5**2 + 1, abs=0.02)  # E(x_1 - x_0)^2 for x_0 ~ N(0, 1)


def test_the_field_is_asked_for_the_class_of_each_image_at_times_over_the_whole_interval() -> None:
    seen = {}

    def field(x: torch.Tensor, t: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        seen.update(t=t, y=y)
        return x

    y = torch.arange(1000)
    flow_matching_loss(field, torch.zeros(1000, 1, 2, 2), y)
    assert torch.equal(seen["y"], y)
    assert 0 <= seen["t"].min() < 0.02 < 0.98 < seen["t"].max() < 1
