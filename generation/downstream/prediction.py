"""What a downstream network says of images."""

import torch
from torch import nn

from generation.specs import Precision

AT_ONCE = 32


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")


@torch.no_grad()
def logits_of(
    net: nn.Module, inputs: torch.Tensor, *, precision: Precision = "bfloat16"
) -> torch.Tensor:
    """Compute logits (float, N x ..., on the CPU) of inputs N x 1 x R x R in [-1, 1]."""
    device = next(net.parameters()).device
    parts = []
    for part in inputs.split(AT_ONCE):
        with autocast(device, precision):
            logits = net(part.to(device))
        parts.append(logits.float().cpu())
    return torch.cat(parts)


def predict(net: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    """Compute probabilities, N x R x R, of inputs N x 1 x R x R in [-1, 1]."""
    return logits_of(net, inputs)[:, 0].sigmoid()
