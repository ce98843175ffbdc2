"""How the proxies are trained: a segmenter or a classifier that sees real images only."""

from typing import Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from generation.specs.strict import STRICT

ClassifierNetwork = Literal["densenet121", "small", "tiny"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SegmenterSpec:
    """Train a segmenter of one kind of mask on the real images of a manifest.

    ``widths`` are the U-Net's channels from the finest level to the coarsest. After
    every ``evaluate_every`` steps the validation split is measured; training stops
    where ``patience`` measurements in a row were not better, or after ``max_steps``.
    """

    manifest: str
    kind: str = Field(default="lungs", min_length=1, max_length=32)
    resolution: int = Field(default=128, ge=32, le=1024, multiple_of=32)
    widths: tuple[int, ...] = Field(default=(16, 32, 64, 96, 128), min_length=2, max_length=6)
    max_steps: int = Field(default=1_500, ge=1)
    batch_size: int = Field(default=8, ge=1)
    learning_rate: float = Field(default=2e-3, gt=0)
    evaluate_every: int = Field(default=50, ge=1)
    patience: int = Field(default=12, ge=1)
    seed: int = 0


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ClassifierSpec:
    """Train a classifier of findings on the real images of a manifest.

    It stops as a segmenter does. ``densenet121`` wants a GPU; ``small`` is for a CPU,
    ``tiny`` for trying things out.
    """

    manifest: str
    resolution: int = Field(default=128, ge=32, le=1024, multiple_of=32)
    network: ClassifierNetwork = "densenet121"
    max_steps: int = Field(default=2_000, ge=1)
    batch_size: int = Field(default=16, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    evaluate_every: int = Field(default=50, ge=1)
    patience: int = Field(default=8, ge=1)
    seed: int = 0
