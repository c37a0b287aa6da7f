"""From noise to images: the flow's ODE dx/dt = v(x, t) on [0, 1], solved by torchdiffeq."""

from __future__ import annotations

import torch
from torch import Tensor

from trainables.common.flow.path import Velocity
from trainables.common.flow.settings import Solver

EVALUATIONS_PER_STEP = {"euler": 1, "midpoint": 2, "rk4": 4}
DOPRI5_GUESS = 100


def expected_evaluations(solver: Solver) -> int:
    """Return the evaluations of a fixed-step method; a guess for dopri5, which chooses its steps."""
    if solver.method == "dopri5":
        return DOPRI5_GUESS
    return EVALUATIONS_PER_STEP[solver.method] * (solver.grid_points - 1)


def integrate(velocity: Velocity, x_0: Tensor, solver: Solver) -> tuple[Tensor, int]:
    """Follow the flow from t = 0 to t = 1.

    Args:
        velocity: v(x, t) for x (N, C, H, W) and times t (N,).
        x_0: noise, (N, C, H, W).
        solver: method and accuracy. dopri5 pools its error over the batch: its result depends on the batch.

    Returns:
        x_1, (N, C, H, W), and the number of evaluations of the velocity.
    """
    from torchdiffeq import odeint  # with SciPy, which planning does not need

    evaluations = 0

    def derivative(t: Tensor, x: Tensor) -> Tensor:
        nonlocal evaluations
        evaluations += 1
        return velocity(x, t.expand(len(x)))

    points = 2 if solver.method == "dopri5" else solver.grid_points
    times = torch.linspace(0, 1, points, device=x_0.device)
    with torch.no_grad():
        states = odeint(derivative, x_0, times, rtol=solver.rtol, atol=solver.atol, method=solver.method)
    return states[-1], evaluations
