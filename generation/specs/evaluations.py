"""What an evaluation of a model version measures."""

from pydantic import Field
from pydantic.dataclasses import dataclass

from generation.specs.candidates import GuidanceScale, ModelSource, Sampler, SampleSpec, Steps
from generation.specs.strict import STRICT


@dataclass(frozen=True, kw_only=True, config=STRICT)
class EvaluationSpec:
    """Make ``images`` candidates of the usual prompts and measure them.

    ``judge`` is the folder of a judge of attributes, ``BUNDLED``, or nothing. ``trunk`` is a second
    network by which FID is measured, to the held-out images of ``real_images``, a training
    manifest: the folder of a published image model of transformers or of a classifier, or
    ``package.module:callable``. Nothing is downloaded for it.
    """

    model: ModelSource
    images: int = Field(default=256, ge=32, le=8_192, multiple_of=4)
    steps: Steps = SampleSpec.steps
    guidance_scale: GuidanceScale = SampleSpec.guidance_scale
    sampler: Sampler = SampleSpec.sampler
    seed: int = Field(default=0, ge=0, le=2**31)
    judge: str = ""
    trunk: str = ""
    real_images: str = ""
