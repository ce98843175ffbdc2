"""Kernel Inception Distance on CXR features (Binkowski et al., 2018, 1801.01401)."""

import math
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Kid:
    """The squared maximum mean discrepancy and its standard error."""

    value: float
    standard_error: float


def polynomial_kernel(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """(a.b / D + 1)^3 of every pair: N x D and M x D to N x M."""
    return (a @ b.T / a.shape[1] + 1) ** 3


def kid(a: torch.Tensor, b: torch.Tensor) -> Kid:
    """Unbiased estimate between features N x D and M x D; around zero for one distribution.

    The standard error is the jackknife's, over both samples. N and M are 3 or more.
    """
    a, b = a.double(), b.double()
    within_a, within_b, across = (
        polynomial_kernel(a, a),
        polynomial_kernel(b, b),
        polynomial_kernel(a, b),
    )
    value = _mmd(_off_diagonal(within_a), _off_diagonal(within_b), across.mean())
    variance = 0.0
    for within, other, cross in (
        (within_a, within_b, across),
        (within_b, within_a, across.T),
    ):
        left_out = _mmd(
            _off_diagonal_without_each(within), _off_diagonal(other), _mean_without_each(cross)
        )
        count = len(within)
        variance += (count - 1) * left_out.var(correction=0).item()
    return Kid(value.item(), math.sqrt(variance))


def _mmd(within_a: torch.Tensor, within_b: torch.Tensor, across: torch.Tensor) -> torch.Tensor:
    return within_a + within_b - 2 * across


def _off_diagonal(kernel: torch.Tensor) -> torch.Tensor:
    count = len(kernel)
    return (kernel.sum() - kernel.trace()) / (count * (count - 1))


def _off_diagonal_without_each(kernel: torch.Tensor) -> torch.Tensor:
    """Returns the off-diagonal mean with each row and column left out in turn: N."""
    count = len(kernel)
    total = kernel.sum() - kernel.trace()
    own = kernel.sum(dim=1) - kernel.diagonal()
    return (total - 2 * own) / ((count - 1) * (count - 2))


def _mean_without_each(kernel: torch.Tensor) -> torch.Tensor:
    """Returns the mean with each row left out in turn: N."""
    return (kernel.sum() - kernel.sum(dim=1)) / ((len(kernel) - 1) * kernel.shape[1])
