"""What a worker process takes: kinds of runs, and as much GPU memory as it has."""

import logging
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache

from django.conf import settings

ASKED = ("index", "name", "memory.used", "memory.total")
MIB = 1024 * 1024
GIB = 1024 * MIB
ASKED_FOR_S = 10

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Abilities:
    """Kinds of runs, all where there are none, and GB of GPU memory; None is no limit."""

    kinds: tuple[str, ...] = ()
    gpu_gb: int | None = None


def abilities() -> Abilities:
    """Returns what this process takes, by its settings and by its GPU."""
    return Abilities(
        kinds=tuple(settings.WORKER_KINDS),
        gpu_gb=settings.WORKER_GPU_GB or _own_gpu_gb(settings.TORCH_DEVICE),
    )


@cache
def _own_gpu_gb(torch_device: str) -> int | None:
    """Returns the memory of the GPU that this process uses; None where it uses none.

    A driver counts the GPUs of the host, and torch those that are visible to the process.
    """
    device, _, number = torch_device.partition(":")
    visible = visible_gpus()
    if device not in {"auto", "cuda"} or not visible:
        return None
    place = int(number) if number.isdecimal() and int(number) < len(visible) else 0
    return int(str(visible[place]["total_bytes"])) // GIB


def visible_gpus() -> list[dict[str, object]]:
    """Returns the GPUs that ``CUDA_VISIBLE_DEVICES`` leaves to this process, in its order."""
    every = gpus()
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is None:
        return every
    by_index = {str(gpu["index"]): gpu for gpu in every}
    chosen = [by_index[name.strip()] for name in named.split(",") if name.strip() in by_index]
    # A GPU may be named by its serial number too, which is not asked for: any may be meant.
    return chosen if chosen or not named.strip() else every


def gpus() -> list[dict[str, object]]:
    """Returns the GPUs of this host with their memory, whoever uses it; none where no driver
    tells.
    """
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    command = [program, f"--query-gpu={','.join(ASKED)}", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=ASKED_FOR_S
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        logger.warning("the driver does not tell of its GPUs: %s", error)
        return []
    return [gpu for line in said.splitlines() if (gpu := gpu_of(line))]


def gpu_of(line: str) -> dict[str, object] | None:
    """Returns one GPU of a line ``0, NVIDIA H200, 512, 143771``; None where the driver knows no
    figures.
    """
    fields = [field.strip() for field in line.split(",")]
    if len(fields) != len(ASKED) or not all(fields[place].isdecimal() for place in (0, 2, 3)):
        return None
    index, name, used, total = fields
    return {
        "index": int(index),
        "name": name,
        "used_bytes": int(used) * MIB,
        "total_bytes": int(total) * MIB,
    }
