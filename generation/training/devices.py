"""The device that everything is computed on, and what it runs out of."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import torch

from generation.errors import RemediableError
from generation.training import processes

AUTO = "auto"
SETTING = "TORCH_DEVICE"
"""The environment variable that names the device; children of a worker inherit it."""

CPU_DESCRIPTION = Path("/proc/cpuinfo")
MATRIX_UNITS = "amx_bf16"
"""The processor flag of units that multiply matrices of bfloat16."""


def device() -> torch.device:
    """Returns the device that ``TORCH_DEVICE`` names, or with ``auto`` the best that is there.

    Where several processes train together on GPUs, each has one of its own.
    """
    chosen = named_device(os.environ.get(SETTING, "") or AUTO)
    if chosen == torch.device("cuda") and processes.count() > 1:
        return torch.device("cuda", processes.place_on_host())
    return chosen


def named_device(name: str) -> torch.device:
    """Returns a device by its name; a RemediableError where there is none of this name."""
    if name == AUTO:
        return best_device()
    try:
        named = torch.device(name)
    except RuntimeError as error:
        raise RemediableError(
            f"{name!r} is no torch device.", remedy="Use cuda, cuda:1, mps, cpu or auto."
        ) from error
    if named.type == "cuda" and not torch.cuda.is_available():
        raise RemediableError(
            f"{SETTING} is {name!r}, and torch finds no CUDA device here.",
            remedy=f"Set {SETTING} to auto or cpu, or give the process a GPU.",
        )
    return named


def best_device() -> torch.device:
    """Returns the device that torch is fastest on here."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def dtype_for(device: torch.device) -> torch.dtype:
    """Choose half precision where it is faster, and float32 where it is not."""
    if device.type == "cuda":
        return torch.float16
    return torch.bfloat16 if device.type == "cpu" and has_matrix_units() else torch.float32


@cache
def has_matrix_units() -> bool:
    """Say whether the processor is quicker in bfloat16; others only emulate it."""
    if not CPU_DESCRIPTION.is_file():
        return False
    return MATRIX_UNITS in CPU_DESCRIPTION.read_text().split()


def release_memory() -> None:
    """Give memory that nothing uses any more back to the device."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


@contextmanager
def naming_full_memory(what: str) -> Iterator[None]:
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise RemediableError(
            f"The device's memory ran out while {what}.",
            remedy="Ask for smaller images, or use a device with more memory; then retry.",
        ) from error
