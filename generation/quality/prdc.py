"""Precision, recall, density and coverage (Naeem et al., 2020, 2002.09797).

Precision and recall as Kynkäänniemi et al., 2019, 1904.06991.
"""

from dataclasses import dataclass

import torch

NEAREST_K = 5


@dataclass(frozen=True)
class Prdc:
    """All but density are shares from 0 to 1; density may exceed 1.

    ``precision`` and ``density`` say how well made images lie where real ones do,
    ``recall`` and ``coverage`` how much of where real ones lie is reached.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def prdc(made: torch.Tensor, real: torch.Tensor, *, nearest_k: int = NEAREST_K) -> Prdc:
    """Compare features N x D of made images with M x D of real ones; both exceed ``nearest_k``.

    A ball around each image reaches to the ``nearest_k``-th neighbour of its own kind; its
    surface is outside, as in the authors' code.
    """
    if min(len(made), len(real)) <= nearest_k:
        raise ValueError(f"{len(made)} made and {len(real)} real images for k = {nearest_k}")
    made, real = made.double(), real.double()
    across = torch.cdist(real, made)
    in_real_ball = across < _radii(real, nearest_k)[:, None]
    in_made_ball = across < _radii(made, nearest_k)[None, :]
    return Prdc(
        precision=in_real_ball.any(dim=0).double().mean().item(),
        recall=in_made_ball.any(dim=1).double().mean().item(),
        density=in_real_ball.double().sum(dim=0).mean().item() / nearest_k,
        coverage=in_real_ball.any(dim=1).double().mean().item(),
    )


def _radii(points: torch.Tensor, nearest_k: int) -> torch.Tensor:
    """Returns the distance of each point to its ``nearest_k``-th neighbour, itself not counted."""
    return torch.cdist(points, points).kthvalue(nearest_k + 1, dim=1).values
