"""Several training processes of one host, started by torchrun; one by itself is fine too."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import distributed

LONGEST_WAIT = timedelta(hours=12)
"""How long a process waits while the first one does the stages that are not shared."""


@contextmanager
def joined() -> Iterator[None]:
    """Join the group that torchrun announces in the environment, if it does."""
    if "WORLD_SIZE" not in os.environ:
        yield
        return
    distributed.init_process_group("gloo", timeout=LONGEST_WAIT)
    try:
        yield
    finally:
        distributed.destroy_process_group()


def count() -> int:
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    return distributed.get_rank() if distributed.is_initialized() else 0


def wait_for_all() -> None:
    if count() > 1:
        distributed.barrier()


def average_gradients(parameters: list[torch.nn.Parameter]) -> None:
    """Make every process's gradients the mean over all of them, in one exchange."""
    if count() == 1:
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= count()
    parts = flat.split([gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))


def average(values: torch.Tensor) -> torch.Tensor:
    """The mean over all processes of a tensor that each of them has."""
    if count() == 1:
        return values
    total = values.clone()
    distributed.all_reduce(total)
    return total / count()
