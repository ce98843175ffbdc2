"""Guidance by contrast, distilled into the weights.

A model may hardly follow one thing that its prompts say and know it all the same: what it
predicts for a prompt with ``female`` differs a little from what it predicts for the same prompt
with ``male``. Here it learns to predict that difference several times over,

    v(prompt) + sum over things of weight x (v(prompt) - v(opposite in that thing)),

where v is the model as it was. It is classifier-free guidance (Ho and Salimans, 2207.12598) with
a prompt of the opposite in the place of the empty one, which leaves alone what is followed
already, and distilled like that of Meng et al. (2210.03142): sampling costs no more than before.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from diffusers import DDPMScheduler
from diffusers.training_utils import compute_snr
from transformers import CLIPTokenizer

from generation.conditioning.opposites import opposite
from generation.diffusion.denoiser import (
    Denoiser,
    DenoiserConfig,
    DenoiserTrainee,
    loss_weights,
    stratified_timesteps,
)
from generation.diffusion.text_encoder import token_ids
from generation.specs import TrainingImage
from generation.training.loop import Figures

ZEROED_SHARE = 0.5
"""The share of dropped prompts whose text embedding is all zero, as in mode m2i."""


class ContrastTrainee(DenoiserTrainee):
    """A denoiser that learns its own contrasts; it is also the teacher, as it is at the start.

    ``weights_of`` has a weight for each thing; timesteps below ``since`` are learnt as they were.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        latents: torch.Tensor,
        rows: tuple[TrainingImage, ...],
        tokenizer: CLIPTokenizer,
        config: DenoiserConfig,
        scheduler: DDPMScheduler,
        *,
        contrasts: Mapping[str, float],
        since: int,
    ) -> None:
        super().__init__(denoiser, latents, rows, tokenizer, config, scheduler)
        self.teacher = Denoiser(
            copy.deepcopy(denoiser.unet).requires_grad_(False).eval(),
            copy.deepcopy(denoiser.text_encoder).requires_grad_(False).eval(),
        )
        self.contrasts, self.since = contrasts, since

    def loss(self, step: int, generator: torch.Generator) -> tuple[torch.Tensor, Figures]:
        latents, prompts = self.draw(generator)
        count, device = len(latents), latents.device
        total = self.scheduler.config.num_train_timesteps
        noise = torch.randn(latents.shape, generator=generator).to(device)
        timesteps = stratified_timesteps(count, total=total, generator=generator).to(device)
        noised = self.scheduler.add_noise(latents, noise, timesteps)
        is_zeroed = torch.rand(count, generator=generator) < ZEROED_SHARE
        is_zeroed &= torch.tensor([not prompt for prompt in prompts])
        target, before = self.target(noised, timesteps, prompts, is_zeroed.to(device))
        predicted = self.predict(self.denoiser, noised, timesteps, prompts, is_zeroed.to(device))
        weights = loss_weights(compute_snr(self.scheduler, timesteps), gamma=self.config.snr_gamma)

        def error_of(prediction: torch.Tensor) -> torch.Tensor:
            return (weights * (prediction - target).square().mean(dim=(1, 2, 3))).mean()

        loss = error_of(predicted)
        return loss, {"loss": loss, "untaught": error_of(before)}

    @torch.no_grad()
    def target(
        self,
        noised: torch.Tensor,
        timesteps: torch.Tensor,
        prompts: Sequence[str],
        is_zeroed: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns what is to be predicted, and what the teacher predicts: B x C x H x W each."""
        own = self.predict(self.teacher, noised, timesteps, prompts, is_zeroed)
        target = own.clone()
        for thing, weight in self.contrasts.items():
            others = [opposite(prompt, thing) for prompt in prompts]
            pairs = zip(prompts, others, timesteps.tolist(), strict=True)
            held = [place for place, (prompt, other, timestep) in enumerate(pairs)
                    if other != prompt and timestep >= self.since]  # fmt: skip
            if held:
                against = self.predict(
                    self.teacher,
                    noised[held],
                    timesteps[held],
                    [others[place] for place in held],
                    is_zeroed[held],
                )
                target[held] += weight * (own[held] - against)
        return target, own

    def predict(
        self,
        denoiser: Denoiser,
        noised: torch.Tensor,
        timesteps: torch.Tensor,
        prompts: Sequence[str],
        is_zeroed: torch.Tensor,
    ) -> torch.Tensor:
        tokens = token_ids(self.tokenizer, list(prompts)).to(noised.device)
        with torch.autocast(noised.device.type, torch.bfloat16):
            context = denoiser.text_encoder(tokens)[0].masked_fill(is_zeroed.view(-1, 1, 1), 0.0)
            predicted: Any = denoiser.unet(noised, timesteps, context).sample
        found: torch.Tensor = predicted.float()
        return found
