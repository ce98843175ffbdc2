"""Preferences read, and their images and prompts encoded once, ready to train on."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from pydantic import TypeAdapter, ValidationError

from generation.diffusion.checkpoints import load_state, save_state
from generation.diffusion.training_images import read_grey
from generation.errors import RemediableError
from generation.specs import Preference

ENCODED_AT_ONCE = 16


@dataclass(frozen=True, kw_only=True)
class EncodedPairs:
    """N pairs that point into M latents and P text embeddings, all on one device.

    ``latents`` is M x C x h x w and already scaled, ``embeddings`` P x tokens x width;
    ``winner``, ``loser`` and ``prompt`` are indices, the rest scores 0-5 and weights 0-1.
    """

    latents: torch.Tensor
    embeddings: torch.Tensor
    winner: torch.Tensor
    loser: torch.Tensor
    prompt: torch.Tensor
    winner_score: torch.Tensor
    loser_score: torch.Tensor
    reliability: torch.Tensor

    def __len__(self) -> int:
        return len(self.winner)

    def to(self, device: torch.device) -> Self:
        return type(self)(**{name: value.to(device) for name, value in vars(self).items()})


def read_preferences(path: Path) -> list[Preference]:
    """Read JSON lines of preferences; there must be at least one."""
    adapter = TypeAdapter(Preference)
    preferences = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        try:
            preferences.append(adapter.validate_json(line))
        except ValidationError as error:
            raise RemediableError(
                f"{path}, line {number} is not a preference: {error}",
                remedy="Take the snapshot again.",
            ) from error
    if not preferences:
        raise RemediableError(
            f"{path} holds no preference", remedy="Wait for readings whose scores differ."
        )
    return preferences


def encode_pairs(pipeline: Any, preferences: list[Preference], *, cache: Path) -> EncodedPairs:
    """Encode each image and each prompt once; a cache that is there is taken as it is."""
    if state := load_state(cache):
        return EncodedPairs(**state)
    images = _places(path for pair in preferences for path in (pair.winner, pair.loser))
    prompts = _places(pair.prompt for pair in preferences)

    def column(value: Callable[[Preference], float]) -> torch.Tensor:
        return torch.tensor([value(pair) for pair in preferences])

    pairs = EncodedPairs(
        latents=encode_images(pipeline, [Path(path) for path in images]),
        embeddings=encode_prompts(pipeline, list(prompts)),
        winner=column(lambda pair: images[pair.winner]),
        loser=column(lambda pair: images[pair.loser]),
        prompt=column(lambda pair: prompts[pair.prompt]),
        winner_score=column(lambda pair: pair.winner_score),
        loser_score=column(lambda pair: pair.loser_score),
        reliability=column(lambda pair: pair.reliability),
    )
    save_state(cache, vars(pairs))
    return pairs


@torch.no_grad()
def encode_images(pipeline: Any, paths: list[Path]) -> torch.Tensor:
    """Scaled latents (the posterior's mode) at the model's own resolution: M x C x h x w."""
    vae = pipeline.vae
    side = pipeline.unet.config.sample_size * pipeline.vae_scale_factor
    latents = []
    for start in range(0, len(paths), ENCODED_AT_ONCE):
        grey = [
            torch.from_numpy(read_grey(path, side=side).copy())
            for path in paths[start : start + ENCODED_AT_ONCE]
        ]
        pixels = (torch.stack(grey)[:, None].float() / 127.5 - 1).to(vae.device, vae.dtype)
        pixels = pixels.expand(-1, vae.config.in_channels, -1, -1)
        posterior = vae.encode(pixels).latent_dist
        latents.append(posterior.mode().float().cpu() * vae.config.scaling_factor)
    return torch.cat(latents)


@torch.no_grad()
def encode_prompts(pipeline: Any, prompts: list[str]) -> torch.Tensor:
    """Text embeddings: P x tokens x width."""
    embeddings, _ = pipeline.encode_prompt(
        prompts, pipeline.text_encoder.device, 1, do_classifier_free_guidance=False
    )
    return embeddings.float().cpu()


def _places(values: Iterable[str]) -> dict[str, int]:
    """Each distinct value with its place, in order of first appearance."""
    return {value: place for place, value in enumerate(dict.fromkeys(values))}
