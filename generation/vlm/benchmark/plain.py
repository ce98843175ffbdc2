"""Figures as JSON has them: without numbers that it lacks."""

import math
from typing import Any


def plain(value: Any) -> Any:
    """Without the numbers that JSON lacks."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
