"""Single-file checkpoints: which family one is of, by its tensors, and its conversion."""

from collections.abc import Mapping, Sequence

from pydantic.dataclasses import dataclass

from generation.errors import RemediableError
from generation.specs.strict import STRICT

CHECKPOINT_SUFFIXES = (".safetensors", ".ckpt")
SUPPORTED_WORDS = "Stable Diffusion 1.x and 2.x pipelines (StableDiffusionPipeline)"
LATENT_CHANNELS = 4
BY_CHANNELS = {
    5: "a model that follows depth",
    7: "a model that enlarges images",
    8: "a model that edits images",
    9: "an in-painting model",
}
"""What a UNet is that takes more channels than there are latent ones."""
FIRST_LAYER = "model.diffusion_model.input_blocks.0.0.weight"
PARTS = (
    ("UNet", "model.diffusion_model."),
    ("autoencoder", "first_stage_model."),
    ("text encoder", "cond_stage_model."),
)
FAMILIES = (
    ("conditioner.embedders.", "Stable Diffusion XL"),
    ("joint_blocks.", "Stable Diffusion 3"),
    ("double_stream_modulation_img.", "Flux 2"),
    ("double_blocks.", "Flux"),
    ("clip_txt_mapper.", "Stable Cascade"),
    ("cap_embedder.", "Lumina"),
    ("y_embedder.y_proj.", "PixArt"),
    ("cross_attn.kv_linear.", "PixArt or Sana"),
    ("patchify_proj.", "LTX-Video"),
    ("control_model.", "a ControlNet"),
    ("lora_unet_", "a LoRA adapter"),
    ("lora_A.", "a LoRA adapter"),
    ("lora_down.", "a LoRA adapter"),
    ("motion_modules.", "AnimateDiff"),
)
"""What stands in the names of a family's tensors, the telling ones first."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ConversionSpec:
    """Convert a checkpoint into a folder in the diffusers format.

    ``config`` is a folder in that format whose configurations and tokenizer the parts take;
    its weights, if it has any, are not read.
    """

    checkpoint: str
    config: str


def require_family(shapes: Mapping[str, Sequence[int]], *, name: str) -> None:
    """Raises RemediableError, which names the family, where tensors of these names and shapes
    are no whole Stable Diffusion 1 or 2.
    """
    family = next((said for part, said in FAMILIES if any(part in key for key in shapes)), None)
    first = shapes.get(FIRST_LAYER)
    taken = first[1] if first is not None and len(first) > 1 else LATENT_CHANNELS
    if family is None and taken != LATENT_CHANNELS:
        family = BY_CHANNELS.get(taken, f"a model that takes {taken} channels")
    missing = [part for part, start in PARTS if not any(key.startswith(start) for key in shapes)]
    if family is None and missing and len(missing) < len(PARTS):
        raise RemediableError(
            f"{name} holds no {' and no '.join(missing)}.",
            remedy="Fetch the whole checkpoint: weights of one part alone make no image.",
        )
    if family is not None or missing:
        raise RemediableError(
            f"{name} is {family or 'of no family that is known here'}, which is not supported.",
            remedy=f"Register one of the supported kinds: {SUPPORTED_WORDS}.",
        )
