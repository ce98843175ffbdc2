"""One measured figure with the machine that it was measured on."""

import os
import platform
from dataclasses import dataclass, field
from pathlib import Path

GIB = 2**30


def describe_machine() -> str:
    """Returns the processor, its cores as far as this process may use them, and the memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    cores = len(os.sched_getaffinity(0))
    return f"{_processor()}, {cores} cores, {memory:.0f} GiB, {platform.system()}"


def _processor() -> str:
    description = Path("/proc/cpuinfo")
    lines = description.read_text().splitlines() if description.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


@dataclass(frozen=True, kw_only=True)
class Row:
    """``ratio`` compares ``value`` with ``baseline``, where there is one to compare with."""

    name: str
    value: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None
    machine: str = field(default_factory=describe_machine)
