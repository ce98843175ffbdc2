"""DRaFT-1: sample, and climb a differentiable reward through the last denoising step."""

from dataclasses import replace
from typing import Any

import torch
from diffusers import DDIMScheduler

from generation.preferences.lessons import Lessons
from generation.preferences.losses import anchor, draft
from generation.preferences.networks import Network
from generation.preferences.noising import Noised, add_noise
from generation.preferences.objectives import Draw, Figures, Objective, Reward
from generation.specs import FineTuneSpec

SAMPLING_STEPS = 12


class DraftObjective(Objective):
    """It samples by DDIM without guidance from the draw's noise to an image of a rated image's
    prompt.

    Only the last step has gradients, which is late: the reward there is about texture and
    contrast more than about layout. The anchor compares the predictions with the
    reference's at that step and, on the image that the reference ends with there, at the
    draw's timesteps,
    so that the adapter does not drift where the reward does not look.
    """

    def __init__(
        self,
        network: Network,
        scheduler: Any,
        lessons: Lessons,
        spec: FineTuneSpec,
        *,
        reward: Reward,
    ) -> None:
        super().__init__(network, scheduler, lessons, spec)
        self.reward = reward
        self.sampler = DDIMScheduler.from_config(scheduler.config, clip_sample=False)
        self.sampler.set_timesteps(SAMPLING_STEPS)

    @property
    def rows_beside(self) -> int:
        """Draws noise for the anchor."""
        return len(self.lessons.ratings)

    def loss(self, draw: Draw) -> tuple[torch.Tensor, Figures]:
        ratings, pictures = self.lessons.ratings, self.lessons.pictures
        prompt, control = ratings.prompt[draw.chosen], ratings.control[draw.chosen]
        count = len(prompt)
        *before, last = self.sampler.timesteps.tolist()
        latents = draw.noise
        with torch.no_grad():
            for timestep in before:
                inputs = self.at(latents, timestep, prompt=prompt, control=control)
                latents = self.denoise(self.predict(inputs), timestep, latents).prev_sample
        final = self.at(latents, last, prompt=prompt, control=control)
        reference = self.predict_as_reference(final)
        again = add_noise(
            self.scheduler,
            pictures,
            self.denoise(reference, last, latents).pred_original_sample,
            prompt=prompt,
            control=control,
            noise=draw.beside_noise,
            timesteps=draw.beside_timesteps,
        )
        reference = torch.cat([reference, self.predict_as_reference(again)])
        prediction = self.predict(final.joined(again))
        step = self.denoise(prediction[:count], last, latents)
        rewards = self.reward(step.pred_original_sample, prompt)
        loss = draft(
            rewards,
            prediction=prediction,
            reference=reference,
            anchor_weight=self.spec.anchor_weight,
        )
        return loss, {
            "reward": rewards.detach().mean(),
            "anchor": anchor(prediction.detach(), reference),
        }

    def at(
        self, latents: torch.Tensor, timestep: int, *, prompt: torch.Tensor, control: torch.Tensor
    ) -> Noised:
        """Latents that the sampler has come to, as the network sees them; no target is known."""
        inputs = add_noise(
            self.scheduler,
            self.lessons.pictures,
            torch.zeros_like(latents),
            prompt=prompt,
            control=control,
            noise=torch.zeros_like(latents),
            timesteps=torch.full((len(latents),), timestep, device=self.device),
        )
        return replace(inputs, noisy=latents)

    def denoise(self, prediction: torch.Tensor, timestep: int, latents: torch.Tensor) -> Any:
        return self.sampler.step(prediction.float(), timestep, latents)
