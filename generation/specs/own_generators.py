"""A small generator that knows nothing but the real images of one cell of an experiment."""

from pydantic import Field
from pydantic.dataclasses import dataclass

from generation.specs.candidates import GuidanceScale
from generation.specs.strict import STRICT


@dataclass(frozen=True, kw_only=True, config=STRICT)
class OwnGeneratorSpec:
    """Train a generator on all images of a manifest, and none else, and make ``count`` by it.

    They are made from prompts like those of its images, of each of the ``findings`` and of none
    in turn; with a ``kind`` from its images' masks, moved, so that each has a mask of that kind.
    ``latent_versions`` says how many augmented versions of every image are trained on;
    ``decoder_steps`` sharpen the decoder alone; ``controlnet_steps`` teach to follow masks.
    """

    manifest: str = Field(min_length=1)
    count: int = Field(ge=1)
    findings: tuple[str, ...] = ()
    kind: str = Field(default="", max_length=32)
    resolution: int = Field(default=64, ge=32, le=512, multiple_of=32)
    autoencoder_steps: int = Field(default=900, ge=1)
    latent_versions: int = Field(default=8, ge=1)
    decoder_steps: int = Field(default=200, ge=1)
    denoiser_steps: int = Field(default=900, ge=1)
    controlnet_steps: int = Field(default=900, ge=1)
    batch_size: int = Field(default=16, ge=1)
    guidance_scale: GuidanceScale = 2.0
    seed: int = Field(default=0, ge=0, lt=2**31)

    @property
    def training_steps(self) -> int:
        """What is reported as done while it learns."""
        base = self.autoencoder_steps + self.latent_versions + self.decoder_steps
        masks = self.latent_versions + self.controlnet_steps if self.kind else 0
        return base + self.denoiser_steps + masks
