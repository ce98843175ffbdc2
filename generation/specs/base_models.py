"""How a base model and its ControlNet are trained on a cohort, from nothing or further."""

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from generation.specs.candidates import ModelSource
from generation.specs.strict import STRICT

Contrast = Annotated[float, Field(ge=0, le=20)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PretrainSpec:
    """Train a latent diffusion model from nothing on a cohort's training split.

    ``batch_size`` is the denoiser's; ``latent_versions`` says how many augmented
    versions of every image the denoiser is trained on. ``decoder_steps`` sharpen the
    decoder alone, once the latents are made.
    """

    manifest: str
    cohort: str
    resolution: int = Field(default=128, ge=32, le=512, multiple_of=32)
    feature_steps: int = Field(default=700, ge=1)
    autoencoder_steps: int = Field(default=2_200, ge=1)
    latent_versions: int = Field(default=24, ge=1)
    decoder_steps: int = Field(default=5_000, ge=1)
    denoiser_steps: int = Field(default=4_400, ge=1)
    batch_size: int = Field(default=16, ge=1)
    seed: int = 0


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ContinueSpec:
    """Train a model further on a cohort's training split, as base models are trained.

    Its autoencoder stays as it is; UNet and text encoder learn. ``latent_versions`` says how
    many augmented versions of every image are trained on, ``prompt_dropout`` how often a
    prompt is left out, for guidance.

    With a contrast the model learns nothing new from the images: it learns to follow more
    strictly what its prompts say of that thing (``generation.diffusion.contrast``).
    """

    model: ModelSource
    manifest: str
    cohort: str
    latent_versions: int = Field(default=12, ge=1)
    steps: int = Field(default=2_000, ge=1)
    batch_size: int = Field(default=16, ge=1)
    learning_rate: float = Field(default=1e-4, gt=0)
    prompt_dropout: float = Field(default=0.12, ge=0, le=1)
    view_contrast: Contrast = Field(default=0.0, description="How much stricter views are followed")
    sex_contrast: Contrast = Field(default=0.0, description="How much stricter the sex is followed")
    age_contrast: Contrast = Field(default=0.0, description="How much stricter ages are followed")
    finding_contrast: Contrast = Field(
        default=0.0, description="How much stricter findings are followed"
    )
    contrast_from: float = Field(
        default=0.2, ge=0, lt=1, description="The share of noise from which contrasts count"
    )
    seed: int = 0

    @property
    def contrasts(self) -> dict[str, float]:
        """Those that are wished for, by what they are of."""
        wished = {
            "view": self.view_contrast,
            "sex": self.sex_contrast,
            "age": self.age_contrast,
            "finding": self.finding_contrast,
        }
        return {thing: weight for thing, weight in wished.items() if weight}


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ControlNetSpec:
    """Train a ControlNet for masks on a cohort's training split; the model stays as it is.

    Trained ``further``, it begins with the ControlNet that the model has.

    ``latent_versions`` says how many augmented versions of every image are trained on.
    The shares are of training examples: with an empty prompt (for guidance), with a
    zeroed text embedding (mode m2i), without any mask, and, of each kind of mask of an
    example, how often it is left out.
    """

    model: ModelSource
    manifest: str
    cohort: str
    latent_versions: int = Field(default=16, ge=1)
    steps: int = Field(default=6_000, ge=1)
    batch_size: int = Field(default=16, ge=1)
    learning_rate: float = Field(default=4e-4, gt=0)
    empty_prompt_share: float = Field(default=0.1, ge=0, le=1)
    zero_text_share: float = Field(default=0.2, ge=0, le=1)
    no_mask_share: float = Field(default=0.05, ge=0, le=1)
    untold_kind_share: float = Field(default=0.15, ge=0, le=1)
    further: bool = Field(default=False, description="Begin with the ControlNet that it has")
    seed: int = 0
