"""Where a model comes from, and what one candidate follows from."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from generation.specs.images import MaskFile
from generation.specs.strict import STRICT

BUNDLED = "bundled"
"""The location that stands for the checkpoint in ``generation/bundled``."""

PROMPT_MAX_CHARACTERS = 1_000
MOST_AT_ONCE = 24
"""The bundled model makes 1.8 times as many images a second of 24 together as of 8."""
PIXELS_AT_ONCE = 8 * 512 * 512

Mode = Literal["t2i", "m2i", "tm2i"]
"""An image follows its text only; its masks only, the text zeroed; or both."""
Sampler = Literal["unipc", "dpmsolver++", "ddim"]
Steps = Annotated[int, Field(ge=1, le=200)]
GuidanceScale = Annotated[float, Field(ge=0, le=30)]
Side = Annotated[int, Field(ge=32, le=2048, multiple_of=8)]
SEED_LIMIT = 2**63


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ModelSource:
    """Where the weights of a model version come from.

    ``base`` is ``BUNDLED``, a folder in the diffusers format, or a hub id;
    ``adapters`` are LoRA folders, oldest first, merged into the UNet at load.
    """

    base: str
    adapters: tuple[str, ...] = ()


Point = tuple[float, float]
Outline = Annotated[tuple[Point, ...], Field(min_length=3, max_length=200)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RepairSpec:
    """Which regions of an image are drawn again; the rest of it stays as it is.

    ``image`` is a file of the size of what is made; ``regions`` are corners in order, (x, y)
    in its pixels.
    """

    image: str
    regions: Annotated[tuple[Outline, ...], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SampleSpec:
    """What one candidate follows from, the model version apart.

    ``width`` and ``height`` are in pixels and multiples of 8. ``masks`` are what the
    modes m2i and tm2i follow; with ``repair`` only regions of an image are made.
    """

    prompt: str = Field(max_length=PROMPT_MAX_CHARACTERS)
    seed: int = Field(ge=0, lt=SEED_LIMIT)
    mode: Mode = "t2i"
    sampler: Sampler = "dpmsolver++"
    steps: Steps = 16
    guidance_scale: GuidanceScale = 1.0
    width: Side = 128
    height: Side = 128
    masks: tuple[MaskFile, ...] = ()
    repair: RepairSpec | None = None

    @property
    def at_once(self) -> int:
        """How many images of this size are made together."""
        return max(1, min(MOST_AT_ONCE, PIXELS_AT_ONCE // (self.width * self.height)))
