"""Training state on disk, never half written, and the schedule that training shares."""

import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

Report = Callable[[int, Mapping[str, float]], None]
"""Called now and then with the number of steps done and some figures."""


def save_state(path: Path, state: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    torch.save(dict(state), temporary)
    os.replace(temporary, path)


def load_state(path: Path) -> dict[str, Any] | None:
    """The state saved last, or None where training has not begun."""
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def generator_for(seed: int, step: int) -> torch.Generator:
    """The randomness of one step, so that a resumed run draws what an unbroken one would."""
    return torch.Generator().manual_seed(seed * 1_000_003 + step)


def learning_rate(step: int, *, peak: float, warm_up: int, total: int) -> float:
    """Linear warm-up, then a cosine down to a hundredth of the peak."""
    if step < warm_up:
        return peak * (step + 1) / warm_up
    progress = (step - warm_up) / max(1, total - warm_up)
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))
