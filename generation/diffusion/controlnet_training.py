"""How a ControlNet is trained: the model is frozen, prompts and masks are left out at random."""

import random
from pathlib import Path
from typing import Any

import torch
from diffusers import ControlNetModel, DDPMScheduler, StableDiffusionPipeline

from generation.conditioning.prompts import training_prompt
from generation.diffusion.conditioned_images import ConditionedImages, condition_images
from generation.diffusion.controlnet import FOLDER, build_controlnet, without_controlnet
from generation.diffusion.denoiser import stratified_timesteps, target_and_weights
from generation.diffusion.loading import Pipeline, load_pipeline, native_side
from generation.diffusion.stages import StagedTraining
from generation.diffusion.text_encoder import token_ids
from generation.errors import RemediableError
from generation.specs import ControlNetSpec
from generation.training import processes
from generation.training.checkpoints import Report
from generation.training.devices import device
from generation.training.images import load_images, read_manifest
from generation.training.loop import Figures, Plan, Trainee, train
from generation.training.schedules import warm_up_share_then_cosine

SNR_GAMMA = 5.0
WARM_UP_SHARE = 0.03
EMA_DECAY = 0.999
CHECKPOINT_EVERY = 100


class ControlNetTraining(StagedTraining[ControlNetSpec]):
    """A ControlNet is trained for a model on a cohort's masks."""

    @property
    def total(self) -> int:
        return self.spec.latent_versions + self.spec.steps

    def run(self, model: Path) -> None:
        """Train, and leave ``controlnet/`` in the folder ``model``."""
        loaded = load_pipeline(self.spec.model, device=str(device()))
        learnt = self.learnt_before(loaded)
        pipeline = without_controlnet(loaded)
        if processes.rank() == 0:
            self.load(pipeline)
        processes.hand_on(self.checkpoint)
        controlnet = train_controlnet(
            pipeline,
            self.load(pipeline),
            self.spec,
            learnt=learnt,
            checkpoint=self.checkpoint / "controlnet.pt",
            report=self.report("controlnet", after=self.spec.latent_versions),
        )
        if processes.rank() == 0:
            self.save(controlnet, model)

    def learnt_before(self, pipeline: Pipeline) -> ControlNetModel | None:
        """Give the ControlNet to begin with, where one is trained further."""
        if not self.spec.further:
            return None
        if isinstance(pipeline, StableDiffusionPipeline):
            raise RemediableError(
                "the model has no ControlNet that could be trained further",
                remedy="Name a version that follows masks, or train one from nothing.",
            )
        return pipeline.controlnet

    def load(self, pipeline: StableDiffusionPipeline) -> ConditionedImages:
        rows = read_manifest(Path(self.spec.manifest))
        images = load_images(rows, split="train", resolution=native_side(pipeline))
        if not any(row.masks for row in images.rows):
            raise RemediableError(
                "no training image has a mask",
                remedy="Import masks, or make them with manage.py pseudo_mask.",
            )
        return condition_images(
            pipeline.vae,
            images,
            versions=self.spec.latent_versions,
            seed=self.spec.seed,
            cache=self.checkpoint / "latents.pt",
            report=self.report("latents", after=0),
        )

    def save(self, controlnet: ControlNetModel, model: Path) -> None:
        """Save in half precision."""
        halved = controlnet.to("cpu", torch.float16)
        self.publish(model, lambda folder: halved.save_pretrained(folder / FOLDER))


class ControlNetTrainee(Trainee):
    """A ControlNet beside a frozen model, with the masked images that it learns from."""

    def __init__(
        self,
        controlnet: ControlNetModel,
        pipeline: StableDiffusionPipeline,
        images: ConditionedImages,
        spec: ControlNetSpec,
    ) -> None:
        super().__init__(controlnet=controlnet)
        self.controlnet = controlnet
        self.pipeline = pipeline
        self.images = images
        self.spec = spec
        self.scheduler = DDPMScheduler.from_config(pipeline.scheduler.config)
        self.share = processes.share_of(spec.batch_size)

    def loss(self, step: int, generator: torch.Generator) -> tuple[torch.Tensor, Figures]:
        images, device = self.images, self.pipeline.device
        # This process's share of a batch: random versions of random images.
        chosen = torch.randint(len(images), (self.share,), generator=generator)
        version = torch.randint(len(images.latents), (self.share,), generator=generator)
        context = draw_context(self.pipeline, images, chosen, self.spec, generator)  # B x L x D
        control = draw_control(images.control(version, chosen), self.spec, generator)
        loss = control_loss(
            self.controlnet,
            self.pipeline,
            self.scheduler,
            latents=images.latents[version, chosen].to(device),  # B x C x h x w
            context=context,
            control=control.to(device),  # B x K x R x R
            generator=generator,
        )
        return loss, {"loss": loss}


def train_controlnet(
    pipeline: StableDiffusionPipeline,
    images: ConditionedImages,
    spec: ControlNetSpec,
    *,
    learnt: ControlNetModel | None = None,
    checkpoint: Path,
    report: Report,
) -> ControlNetModel:
    """Train, or take up again; return the averaged weights in evaluation mode.

    It begins with what was ``learnt`` before, or as a copy of the UNet's encoder.

    Under torchrun every process takes its part of the batch.
    """
    for part in (pipeline.unet, pipeline.text_encoder):
        part.requires_grad_(False).eval()
    controlnet = learnt or build_controlnet(pipeline, seed=spec.seed)
    controlnet = controlnet.requires_grad_(True).to(pipeline.device)
    plan = Plan(
        steps=spec.steps,
        seed=spec.seed + 1 + processes.rank(),  # every process draws a batch of its own
        learning_rate=spec.learning_rate,
        schedule=warm_up_share_then_cosine(WARM_UP_SHARE, total=spec.steps),
        betas=(0.9, 0.99),
        weight_decay=1e-2,
        clipped_norm=1.0,
        ema_decay=EMA_DECAY,
        checkpoint_every=CHECKPOINT_EVERY,
        is_shared=True,
    )
    trainee = ControlNetTrainee(controlnet, pipeline, images, spec)
    train(trainee, plan, checkpoint=checkpoint, report=report)
    return controlnet


@torch.no_grad()
def draw_context(
    pipeline: StableDiffusionPipeline,
    images: ConditionedImages,
    chosen: torch.Tensor,
    spec: ControlNetSpec,
    generator: torch.Generator,
) -> torch.Tensor:
    """Returns text embeddings, B x L x D: of prompts, of the empty prompt, or zero."""
    draw = torch.rand(len(chosen), generator=generator)
    randomness = random.Random(generator.initial_seed())
    prompts = [training_prompt(images.rows[index], randomness) for index in chosen.tolist()]
    texts = [
        "" if place < spec.empty_prompt_share else prompt
        for prompt, place in zip(prompts, draw.tolist(), strict=True)
    ]
    tokens = token_ids(pipeline.tokenizer, texts).to(pipeline.device)
    context: torch.Tensor = pipeline.text_encoder(tokens)[0]
    zeroed = draw >= 1 - spec.zero_text_share
    return context.masked_fill(zeroed.to(context.device).view(-1, 1, 1), 0.0)


def draw_control(
    control: torch.Tensor, spec: ControlNetSpec, generator: torch.Generator
) -> torch.Tensor:
    """Make some kinds of masks of some examples zero, and all of some: B x K x R x R."""
    count, kinds = control.shape[:2]
    kept = torch.rand(count, kinds, generator=generator) >= spec.untold_kind_share
    kept &= (torch.rand(count, generator=generator) >= spec.no_mask_share)[:, None]
    return control * kept[:, :, None, None]


def control_loss(
    controlnet: ControlNetModel,
    pipeline: StableDiffusionPipeline,
    scheduler: Any,
    *,
    latents: torch.Tensor,
    context: torch.Tensor,
    control: torch.Tensor,
    generator: torch.Generator,
) -> torch.Tensor:
    """Returns the squared error of the prediction, weighted as in the base model's training.

    ``latents`` B x C x h x w, ``context`` B x L x D, ``control`` B x K x R x R.
    """
    count, device = len(latents), latents.device
    total = scheduler.config.num_train_timesteps
    noise = torch.randn(latents.shape, generator=generator).to(device)
    timesteps = stratified_timesteps(count, total=total, generator=generator).to(device)
    noised = scheduler.add_noise(latents, noise, timesteps)
    target, weights = target_and_weights(scheduler, latents, noise, timesteps, gamma=SNR_GAMMA)
    with torch.autocast(device.type, torch.bfloat16):
        down, middle = controlnet(
            noised,
            timesteps,
            encoder_hidden_states=context,
            controlnet_cond=control,
            return_dict=False,
        )
        prediction = pipeline.unet(
            noised,
            timesteps,
            context,
            down_block_additional_residuals=down,
            mid_block_additional_residual=middle,
        ).sample
    errors = (prediction.float() - target).square().mean(dim=(1, 2, 3))
    return (weights * errors).mean()
