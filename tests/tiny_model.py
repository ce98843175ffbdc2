"""A real Stable Diffusion pipeline, so small that an image takes milliseconds on the CPU."""

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DDPMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)

from generation.diffusion.controlnet import build_controlnet
from generation.diffusion.text_encoder import build_text_encoder, train_tokenizer

SIDE = 32
PROMPTS = ["chest x-ray, no finding, PA view, female", "chest x-ray, pneumonia, AP view, male"]


def save_tiny_model(folder: Path, *, seed: int = 0, follows_masks: bool = False) -> Path:
    """Write random weights from this seed in the diffusers format, with a ControlNet on request."""
    torch.manual_seed(seed)
    tokenizer = train_tokenizer(PROMPTS, vocabulary_size=600)
    pipeline = StableDiffusionPipeline(
        vae=_autoencoder(),
        text_encoder=build_text_encoder(tokenizer, width=16, layers=1),
        tokenizer=tokenizer,
        unet=_unet(),
        scheduler=DDPMScheduler(prediction_type="v_prediction", clip_sample=False, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder)
    if follows_masks:
        save_tiny_controlnet(pipeline, folder)
    return folder


def save_tiny_controlnet(pipeline: StableDiffusionPipeline, folder: Path) -> None:
    """Into its folder there; one whose outputs are no longer zero, as after training."""
    controlnet = build_controlnet(pipeline, seed=0)
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in controlnet.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    controlnet.save_pretrained(folder / "controlnet")


def _autoencoder() -> AutoencoderKL:
    return AutoencoderKL(
        in_channels=1,
        out_channels=1,
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(8, 8, 8),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=SIDE,
        mid_block_add_attention=False,
    )


def _unet() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=SIDE // 4,
        in_channels=4,
        out_channels=4,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        block_out_channels=(8, 16),
        layers_per_block=1,
        cross_attention_dim=16,
        attention_head_dim=4,
        norm_num_groups=4,
    )
