"""The cells that a design asks for."""

import math
from dataclasses import dataclass

from feedback_app.experiments.labels import arm_at
from feedback_app.experiments.services.design import Design
from generation.specs import Arm


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place is one cell of the grid.

    ``ratio`` is 0 for real images alone, which have no ratio.
    """

    arm: Arm
    real_size: int
    ratio: float
    seed: int

    @property
    def synthetic_count(self) -> int:
        """Returns the ratio times the real images; halves are rounded up, and one is the least."""
        return max(1, math.floor(self.ratio * self.real_size + 0.5)) if self.ratio else 0


def grid_of(design: Design) -> list[Place]:
    """Returns every place once, seed by seed, so that what is done early can be compared early."""
    return [
        Place(arm=arm, real_size=size, ratio=ratio, seed=seed)
        for seed in design.seeds
        for size in design.real_sizes
        for arm in design.arms
        for ratio in ratios_of(arm, design)
    ]


def ratios_of(arm: str, design: Design) -> tuple[float, ...]:
    return (0.0,) if arm == "real" else design.ratios


def columns_of(design: Design) -> list[tuple[Arm, float, str]]:
    """Arms at their ratios, with their names."""
    return [
        (arm, ratio, arm_at(arm, ratio)) for arm in design.arms for ratio in ratios_of(arm, design)
    ]
