"""Learning rates by step, as shares of the highest one."""

import math
from collections.abc import Callable

Schedule = Callable[[int], float]
"""From the number of steps done to the share of the peak that the next one learns at."""

LOWEST_SHARE = 0.01


def constant(step: int) -> float:
    """Every step learns at the peak."""
    return 1.0


def warm_up_then_cosine(*, warm_up: int, total: int) -> Schedule:
    """The rate rises in a line over ``warm_up`` steps, then falls in a cosine to a hundredth."""

    def share(step: int) -> float:
        if step < warm_up:
            return (step + 1) / warm_up
        progress = min(1.0, (step - warm_up) / max(1, total - warm_up))
        return LOWEST_SHARE + (1 - LOWEST_SHARE) * 0.5 * (1 + math.cos(math.pi * progress))

    return share


def warm_up_share_then_cosine(share: float, *, total: int) -> Schedule:
    """As ``warm_up_then_cosine``, with a share of the steps to rise in, one at the least."""
    return warm_up_then_cosine(warm_up=max(1, int(share * total)), total=total)
