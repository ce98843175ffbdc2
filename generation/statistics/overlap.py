"""How far two masks agree: Sørensen and Dice's coefficient (1945, 1948)."""

import torch


def dice(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Returns Dice of two stacks of masks, mask by mask: bool, N x H x W each, to float64, N.

    It is 1 where both masks are empty.
    """
    overlap = (first & second).sum(dim=(1, 2)).double()
    total = (first.sum(dim=(1, 2)) + second.sum(dim=(1, 2))).double()
    return torch.where(total > 0, 2 * overlap / total.clamp(min=1), 1.0)


def dice_matrix(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Returns Dice of every pair of two stacks: bool, N x H x W and M x H x W, to N x M."""
    a, b = first.flatten(1).double(), second.flatten(1).double()
    total = a.sum(1)[:, None] + b.sum(1)[None, :]
    return torch.where(total > 0, 2 * (a @ b.T) / total.clamp(min=1), 1.0)
