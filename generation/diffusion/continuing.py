"""A model that there is, trained further on a cohort as base models are; no adapter, no feedback.

The autoencoder stays as it is. What comes of it is a whole model, with the parent's features
and references of copies extended by the images that it learnt from.
"""

from pathlib import Path

import torch
from diffusers import DDPMScheduler, StableDiffusionPipeline

from generation.diffusion.conditioned_images import encode_scaled
from generation.diffusion.contrast import ContrastTrainee
from generation.diffusion.controlnet import without_controlnet
from generation.diffusion.denoiser import Denoiser, DenoiserConfig, DenoiserTrainee
from generation.diffusion.loading import base_folder, load_pipeline, native_side
from generation.diffusion.stages import StagedTraining
from generation.measures.features import FeatureNet
from generation.measures.reference import extended, load_reference, save_reference
from generation.specs import ContinueSpec
from generation.training import processes
from generation.training.checkpoints import Report, generator_for, load_state, save_state
from generation.training.devices import device
from generation.training.images import ImageSet, augment, join, load_images, read_manifest
from generation.training.loop import Plan, train
from generation.training.schedules import warm_up_share_then_cosine

QUALITY = "quality"
WARM_UP_SHARE = 0.05
EMA_DECAY = 0.999
CHECKPOINT_EVERY = 100


class ContinuedTraining(StagedTraining[ContinueSpec]):
    """A model is trained further on a cohort's images."""

    @property
    def total(self) -> int:
        return self.spec.latent_versions + self.spec.steps

    def run(self, model: Path) -> None:
        """Train, and leave a whole model in the diffusers format."""
        pipeline = without_controlnet(load_pipeline(self.spec.model, device=str(device())))
        side = native_side(pipeline)
        rows = read_manifest(Path(self.spec.manifest))
        images = load_images(rows, split="train", resolution=side)
        if processes.rank() == 0:
            self.latents(pipeline, images)
        processes.hand_on(self.checkpoint)
        self.train(pipeline, images, self.latents(pipeline, images))
        if processes.rank() == 0:
            heldout = join(
                load_images(rows, split="validation", resolution=side),
                load_images(rows, split="test", resolution=side),
            )
            self.save(pipeline, model, images, heldout)

    def latents(self, pipeline: StableDiffusionPipeline, images: ImageSet) -> torch.Tensor:
        """Encode augmented versions, or take what is kept: float, versions x N x C x H x W."""
        cache, report = self.checkpoint / "latents.pt", self.report("latents", after=0)
        state = load_state(cache)
        if state is None:
            made = []
            for version in range(self.spec.latent_versions):
                augmented = augment(images.pixels, generator_for(self.spec.seed, version))
                with torch.no_grad():
                    made.append(encode_scaled(pipeline.vae, augmented).bfloat16())
                report(version + 1, {})
            state = {"latents": torch.stack(made)}
            save_state(cache, state)
        kept: torch.Tensor = state["latents"]
        return kept.to(pipeline.device).float()

    def train(
        self, pipeline: StableDiffusionPipeline, images: ImageSet, latents: torch.Tensor
    ) -> None:
        """Leave the averaged weights in the pipeline's UNet and text encoder."""
        spec = self.spec
        denoiser = Denoiser(pipeline.unet, pipeline.text_encoder)
        for part in (denoiser.unet, denoiser.text_encoder):
            part.requires_grad_(True)
        scheduler = DDPMScheduler.from_config(pipeline.scheduler.config)
        arguments = (
            denoiser,
            latents,
            images.rows,
            pipeline.tokenizer,
            config_of(spec, latents),
            scheduler,
        )
        since = round(spec.contrast_from * scheduler.config.num_train_timesteps)
        trainee = (
            ContrastTrainee(*arguments, contrasts=spec.contrasts, since=since)
            if spec.contrasts
            else DenoiserTrainee(*arguments)
        )
        train(
            trainee,
            plan_of(spec),
            checkpoint=self.checkpoint / "denoiser.pt",
            report=self.steps_reported(),
        )

    def steps_reported(self) -> Report:
        return self.report("denoiser", after=self.spec.latent_versions)

    def save(
        self,
        pipeline: StableDiffusionPipeline,
        model: Path,
        images: ImageSet,
        heldout: ImageSet,
    ) -> None:
        """Save in half precision, with the references of copies where the parent has them."""
        halved = pipeline.to("cpu", torch.float16)
        parent = base_folder(self.spec.model)

        def save(folder: Path) -> None:
            halved.save_pretrained(folder)
            if parent is not None and (parent / QUALITY).is_dir():
                net = FeatureNet.load(parent / QUALITY)
                net.save(folder / QUALITY)
                known = load_reference(parent / QUALITY)
                save_reference(extended(known, net, images, heldout), folder / QUALITY)

        self.publish(model, save)


def config_of(spec: ContinueSpec, latents: torch.Tensor) -> DenoiserConfig:
    """Only what a step asks of it: the networks are there already."""
    return DenoiserConfig(
        latent_side=latents.shape[-1],
        latent_channels=latents.shape[2],
        steps=spec.steps,
        batch_size=spec.batch_size,
        prompt_dropout=spec.prompt_dropout,
        seed=spec.seed,
    )


def plan_of(spec: ContinueSpec) -> Plan:
    return Plan(
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
