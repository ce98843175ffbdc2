"""Several training processes of one host, started by torchrun; one by itself is fine too."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import distributed

from generation.errors import RemediableError

LONGEST_WAIT = timedelta(hours=12)
"""How long a process waits while the first one does the stages that are not shared."""


@contextmanager
def joined() -> Iterator[None]:
    """Join the group that torchrun announces in the environment, if it does."""
    if "WORLD_SIZE" not in os.environ:
        yield
        return
    distributed.init_process_group(_backend(), timeout=LONGEST_WAIT)
    try:
        yield
    finally:
        distributed.destroy_process_group()


def _backend() -> str:
    """NCCL between GPUs where each process has one of its own; gloo for all else."""
    has_gpu_each = torch.cuda.device_count() >= int(os.environ["WORLD_SIZE"])
    return "cpu:gloo,cuda:nccl" if has_gpu_each else "gloo"


def count() -> int:
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    return distributed.get_rank() if distributed.is_initialized() else 0


def share_of(batch_size: int) -> int:
    """Say how many of a batch each process takes."""
    share = batch_size // count()
    if not share:
        raise RemediableError(
            f"a batch of {batch_size} is too small for {count()} processes",
            remedy="Choose a larger batch, or start fewer processes.",
        )
    return share


def wait_for_all() -> None:
    """Wait until every process has come here."""
    if count() > 1:
        distributed.all_reduce(torch.zeros(1))  # on the CPU, where waiting keeps no GPU busy


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
