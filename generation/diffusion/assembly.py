"""The trained parts as one pipeline in the diffusers format."""

import copy
import shutil
import tempfile
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DPMSolverMultistepScheduler, StableDiffusionPipeline
from transformers import CLIPTokenizer

from generation.diffusion.denoiser import Denoiser, noise_scheduler


def assemble(
    autoencoder: AutoencoderKL, denoiser: Denoiser, tokenizer: CLIPTokenizer, *, dtype: torch.dtype
) -> StableDiffusionPipeline:
    """Make a pipeline of copies of the parts, in the dtype that it is to be saved in."""
    pipeline: StableDiffusionPipeline = StableDiffusionPipeline(
        vae=copy.deepcopy(autoencoder).to("cpu", dtype),
        text_encoder=copy.deepcopy(denoiser.text_encoder).to("cpu", dtype),
        tokenizer=tokenizer,
        unet=copy.deepcopy(denoiser.unet).to("cpu", dtype),
        scheduler=DPMSolverMultistepScheduler.from_config(noise_scheduler().config),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    return pipeline


def replace_folder(source: Path, target: Path) -> None:
    """Put a finished folder in the place of another, so that no reader sees half of one."""
    retired = Path(tempfile.mkdtemp(dir=target.parent, prefix=".retired-"))
    if target.exists():
        target.rename(retired / target.name)
    source.rename(target)
    shutil.rmtree(retired)
