"""The device that candidates are made on, and what it runs out of."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import diffusers
import torch
import transformers

from generation.errors import RemediableError

AUTO = "auto"


def choose_device(name: str) -> torch.device:
    """The named device, or with ``auto`` the best that is there."""
    if name == AUTO:
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise RemediableError(
            f"{name!r} is no torch device.", remedy="Use cuda, cuda:1, mps, cpu or auto."
        ) from error


CPU_DESCRIPTION = Path("/proc/cpuinfo")
MATRIX_UNITS = "amx_bf16"
"""The processor flag of units that multiply matrices of bfloat16."""


def dtype_for(device: torch.device) -> torch.dtype:
    """Half precision where it is faster; float32 where it is not."""
    if device.type == "cuda":
        return torch.float16
    return torch.bfloat16 if device.type == "cpu" and has_matrix_units() else torch.float32


@cache
def has_matrix_units() -> bool:
    """Whether the processor is quicker in bfloat16; others only emulate it."""
    if not CPU_DESCRIPTION.is_file():
        return False
    return MATRIX_UNITS in CPU_DESCRIPTION.read_text().split()


def library_versions() -> dict[str, str]:
    return {
        "torch": torch.__version__,
        "diffusers": diffusers.__version__,
        "transformers": transformers.__version__,
    }


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
