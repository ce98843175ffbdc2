"""Images, texts and masks as a model's networks take them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from generation.conditioning.masks import as_kind, read_control
from generation.diffusion.loading import native_side
from generation.errors import RemediableError
from generation.specs import MaskFile, MaskKind
from generation.training.images import read_grey

ENCODED_AT_ONCE = 16

MaskPaths = tuple[tuple[MaskKind, str], ...]
"""Kinds and files, sorted."""


@torch.no_grad()
def encode_images(pipeline: Any, paths: Sequence[Path]) -> torch.Tensor:
    """Returns scaled latents (the posterior's mode) at the model's resolution: M x C x h x w."""
    vae = pipeline.vae
    latents = []
    for start in range(0, len(paths), ENCODED_AT_ONCE):
        grey = [
            torch.from_numpy(read_grey(path, side=native_side(pipeline)).copy())
            for path in paths[start : start + ENCODED_AT_ONCE]
        ]
        pixels = (torch.stack(grey)[:, None].float() / 127.5 - 1).to(vae.device, vae.dtype)
        pixels = pixels.expand(-1, vae.config.in_channels, -1, -1)
        posterior = vae.encode(pixels).latent_dist
        latents.append(posterior.mode().float().cpu() * vae.config.scaling_factor)
    return torch.cat(latents)


@torch.no_grad()
def encode_texts(pipeline: Any, texts: Sequence[str | None]) -> torch.Tensor:
    """Returns text embeddings: P x tokens x width; zero for None."""
    embeddings, _ = pipeline.encode_prompt(
        [text or "" for text in texts],
        pipeline.text_encoder.device,
        1,
        do_classifier_free_guidance=False,
    )
    embeddings[[place for place, text in enumerate(texts) if text is None]] = 0
    return embeddings.float().cpu()


def read_controls(pipeline: Any, masks: Sequence[MaskPaths]) -> torch.Tensor:
    """Read what the pipeline's ControlNet sees: uint8 of 0 and 1, K x C x H x W."""
    if getattr(pipeline, "controlnet", None) is None:
        if any(masks):
            raise RemediableError(
                "readings of masked images came to a model without a ControlNet",
                remedy="Fine-tune a version of the model that made the images.",
            )
        return torch.empty(0)
    side = native_side(pipeline)
    files = [[MaskFile(kind=as_kind(kind), path=path) for kind, path in one] for one in masks]
    shown = [read_control(one, (side, side)).astype(np.uint8) for one in files]
    return torch.from_numpy(np.stack(shown))
