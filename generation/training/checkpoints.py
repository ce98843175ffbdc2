"""Training state on disk, never half written, and the randomness of a step."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

Report = Callable[[int, Mapping[str, float]], None]
"""Called now and then with the number of steps done and some figures."""


def save_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write so that whoever reads finds the old state or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    torch.save(dict(state), temporary)
    os.replace(temporary, path)


def load_state(path: Path) -> dict[str, Any] | None:
    """Returns the state saved last, or None where training has not begun."""
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def generator_for(seed: int, step: int) -> torch.Generator:
    """Returns the randomness of one step, so that a resumed run draws what an unbroken one
    would.
    """
    return torch.Generator().manual_seed(seed * 1_000_003 + step)
