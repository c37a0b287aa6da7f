import math

import pytest
import torch

from trainables.common.flow.settings import Solver
from trainables.common.flow.solver import integrate

RATE = -1.5
STEP_FACTOR = {
    "euler": lambda z: 1 + z,
    "midpoint": lambda z: 1 + z + z**2 / 2,
    "rk4": lambda z: 1 + z + z**2 / 2 + z**3 / 6 + z**4 / 24,
}


def solver(method: str, grid_points: int = 6) -> Solver:
    return Solver(method=method, grid_points=grid_points, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("method", "per_step"), [("euler", 1), ("midpoint", 2), ("rk4", 4)])
@pytest.mark.parametrize("grid_points", [2, 6])
def test_a_fixed_step_method_evaluates_as_often_as_its_order_says(method, per_step, grid_points) -> None:
    asked, x_0 = [], torch.ones(3, 1, 2, 2)
    _, evaluations = integrate(lambda x, t: asked.append(t) or x, x_0, solver(method, grid_points))
    assert evaluations == len(asked) == per_step * (grid_points - 1)


@pytest.mark.parametrize("method", list(STEP_FACTOR))
def test_a_linear_flow_is_followed_by_the_methods_formula(method) -> None:
    x_0 = torch.randn(3, 2, 2, 2, dtype=torch.float64)
    x_1, _ = integrate(lambda x, t: RATE * x, x_0, solver(method))
    torch.testing.assert_close(x_1, STEP_FACTOR[method](RATE / 5) ** 5 * x_0, atol=1e-6, rtol=1e-6)


def test_dopri5_meets_its_tolerance() -> None:
    x_0 = torch.randn(3, 2, 2, 2, dtype=torch.float64)
    x_1, evaluations = integrate(lambda x, t: RATE * x, x_0, solver("dopri5", grid_points=2))
    torch.testing.assert_close(x_1, math.exp(RATE) * x_0, atol=1e-5, rtol=1e-5)
    assert evaluations > 6


def test_time_runs_from_noise_to_data_one_time_per_image() -> None:
    asked = []

    def velocity(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        asked.append(t)
        return t.view(-1, 1, 1, 1).expand_as(x)

    x_1, _ = integrate(velocity, torch.zeros(3, 1, 2, 2), solver("euler"))
    torch.testing.assert_close(torch.stack(asked), torch.linspace(0, 0.8, 5)[:, None].expand(5, 3))
    torch.testing.assert_close(x_1, torch.full((3, 1, 2, 2), 0.4))  # (0 + .2 + .4 + .6 + .8) / 5


def test_solving_builds_no_graph() -> None:
    rate = torch.ones((), requires_grad=True)
    x_1, _ = integrate(lambda x, t: rate * x, torch.ones(1, 1, 1, 1), solver("euler"))
    assert not x_1.requires_grad
