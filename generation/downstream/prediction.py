"""What a segmentation network draws, and how it agrees with a mask."""

import torch
from torch import nn

AT_ONCE = 32


@torch.no_grad()
def predict(net: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    """Probabilities, N x R x R, of inputs N x 1 x R x R in [-1, 1]."""
    device = next(net.parameters()).device
    parts = []
    for part in inputs.split(AT_ONCE):
        with torch.autocast(device.type, torch.bfloat16):
            logits = net(part.to(device))
        parts.append(logits[:, 0].float().sigmoid().cpu())
    return torch.cat(parts)


def dice(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Sørensen–Dice of two stacks of masks (bool, N x H x W), N; 1 where both are empty."""
    overlap = (first & second).sum(dim=(1, 2)).double()
    total = (first.sum(dim=(1, 2)) + second.sum(dim=(1, 2))).double()
    return torch.where(total > 0, 2 * overlap / total.clamp(min=1), 1.0)
