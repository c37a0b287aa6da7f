"""Functional matrices: element-wise functions raise the rank of a product of two small matrices.

    F = 1/p sum_{i=1..p} lambda_i f_i(A, B),    A in R^{c_out x r},  B in R^{r x c_in}

    rshift   f_i = (rows of A shifted circularly by i - 1) (columns of B shifted by i - 1)
    power    f_i = sign(AB) |AB|^omega_i
    cosine   f_i = cos(omega_i AB)

lambda (ponderations) belong to one class and layer and are learned; omega_i = i, learned or fixed. The paper's initial
values are lost. Here F starts at a chosen constant c where A and B are constant with AB = 1 (mul, c = 1), by the
smallest lambda that does so, and at zero where nothing may be added at first (add, mul_add), by lambda = 0:

    lambda_i = c p f_i(1) / sum_j f_j(1)^2        =>    F = 1/p sum_i lambda_i f_i(1) = c
"""

from __future__ import annotations

import torch
from torch import Tensor

from trainables.common.peft.settings import Functions

SMALLEST = 1e-12
"""|AB| below this is taken as this: the derivative of |x|^omega in omega is |x|^omega log |x|."""


def initial_frequencies(p: int, device: torch.device | None = None) -> Tensor:
    """Return omega_i = i, (p,)."""
    return torch.arange(1.0, p + 1, device=device)


def initial_ponderations(functions: Functions, p: int, start: float) -> Tensor:
    """Return the smallest lambda (p,) with which F = ``start`` where AB = 1; zeros for ``start`` = 0."""
    at_one = initial_frequencies(p).cos() if functions.startswith("cosine") else torch.ones(p)
    return start * p * at_one / at_one.square().sum()


def functional_matrix(functions: Functions, a: Tensor, b: Tensor, ponderations: Tensor, frequencies: Tensor) -> Tensor:
    """Return F, (c_out, c_in).

    Args:
        functions: which f_i; not ``none``.
        a: A, (c_out, r).
        b: B, (r, c_in).
        ponderations: lambda, (p,).
        frequencies: omega, (p,); rshift does not use them.
    """
    weights = ponderations / len(ponderations)
    if functions == "rshift":
        shifts = range(len(weights))
        a_shifted = torch.cat([a.roll(shift, 0) * weights[shift] for shift in shifts], dim=1)  # (c_out, p r)
        b_shifted = torch.cat([b.roll(shift, 1) for shift in shifts], dim=0)  # (p r, c_in)
        return a_shifted @ b_shifted
    product = a @ b
    omega = frequencies[:, None, None]
    if functions.startswith("cosine"):
        values = (omega * product).cos()  # (p, c_out, c_in)
    else:
        values = product.sign() * product.abs().clamp_min(SMALLEST) ** omega
    return torch.einsum("i,ioc->oc", weights, values)
