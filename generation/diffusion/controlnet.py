"""A ControlNet (Zhang et al. 2023, arXiv 2302.05543) that makes a model follow masks."""

from pathlib import Path

import torch
from diffusers import ControlNetModel, StableDiffusionControlNetPipeline, StableDiffusionPipeline

from generation.conditioning.masks import MASK_KINDS
from generation.errors import RemediableError

FOLDER = "controlnet"
"""A model's folder has its ControlNet here, and so has a version that adds one to its parent."""
EMBEDDING_WIDTHS = (16, 32, 96, 256)
FIRST_CHANNELS = 6
"""ControlNets of so many channels were taught before the last kinds of masks came."""


def build_controlnet(pipeline: StableDiffusionPipeline, *, seed: int) -> ControlNetModel:
    """Copy the UNet's encoder, with a channel for each mask kind; it changes nothing yet.

    The masks' embedding halves the side as often as the autoencoder does.
    """
    halvings = pipeline.vae_scale_factor.bit_length() - 1
    torch.manual_seed(seed)
    controlnet: ControlNetModel = ControlNetModel.from_unet(
        pipeline.unet,
        conditioning_channels=len(MASK_KINDS),
        conditioning_embedding_out_channels=EMBEDDING_WIDTHS[: halvings + 1],
    )
    return controlnet


def load_controlnet(folder: Path, *, dtype: torch.dtype) -> ControlNetModel:
    """Load a ControlNet, with one channel for each mask kind.

    One that was taught before the last kinds came follows none of these.
    """
    try:
        controlnet: ControlNetModel = ControlNetModel.from_pretrained(
            str(folder), dtype=dtype, use_safetensors=True
        )
    except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise RemediableError(
            f"the ControlNet in {folder} cannot be loaded: {error}",
            remedy="Train it again with manage.py train_controlnet, or restore its folder.",
        ) from error
    channels = controlnet.config.conditioning_channels
    if not FIRST_CHANNELS <= channels <= len(MASK_KINDS):
        raise RemediableError(
            f"the ControlNet in {folder} takes {channels} channels, not one for each of "
            f"{', '.join(MASK_KINDS)}",
            remedy="Train one for these kinds of masks with manage.py train_controlnet.",
        )
    return widened(controlnet, channels=len(MASK_KINDS))


@torch.no_grad()
def widened(controlnet: ControlNetModel, *, channels: int) -> ControlNetModel:
    """Give a ControlNet more channels, which change nothing: their weights are zero."""
    narrow = controlnet.controlnet_cond_embedding.conv_in
    if narrow.in_channels == channels:
        return controlnet
    wide = torch.nn.Conv2d(
        channels, narrow.out_channels, narrow.kernel_size, padding=narrow.padding
    ).to(narrow.weight)
    wide.weight.zero_()
    wide.weight[:, : narrow.in_channels] = narrow.weight
    wide.bias = narrow.bias
    controlnet.controlnet_cond_embedding.conv_in = wide
    controlnet.register_to_config(conditioning_channels=channels)
    return controlnet


def with_controlnet(
    pipeline: StableDiffusionPipeline, controlnet: ControlNetModel
) -> StableDiffusionControlNetPipeline:
    """Make a pipeline that takes masks, of the same parts."""
    made: StableDiffusionControlNetPipeline = StableDiffusionControlNetPipeline(
        **_parts(pipeline), controlnet=controlnet, requires_safety_checker=False
    )
    made.set_progress_bar_config(disable=True)
    return made


def without_controlnet(
    pipeline: StableDiffusionPipeline | StableDiffusionControlNetPipeline,
) -> StableDiffusionPipeline:
    """Make a pipeline that takes text alone, of the same parts."""
    if isinstance(pipeline, StableDiffusionPipeline):
        return pipeline
    made: StableDiffusionPipeline = StableDiffusionPipeline(
        **_parts(pipeline), requires_safety_checker=False
    )
    made.set_progress_bar_config(disable=True)
    return made


def _parts(
    pipeline: StableDiffusionPipeline | StableDiffusionControlNetPipeline,
) -> dict[str, object]:
    names = ("vae", "text_encoder", "tokenizer", "unet", "scheduler", "feature_extractor")
    return {name: getattr(pipeline, name) for name in names} | {"safety_checker": None}
