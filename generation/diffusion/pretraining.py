"""From a cohort's training split to a model folder, stage by stage."""

import shutil
from dataclasses import replace
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from transformers import CLIPTokenizer

from generation.conditioning.prompts import whole_prompt
from generation.diffusion.assembly import assemble
from generation.diffusion.autoencoder import (
    AutoencoderConfig,
    sharpen_decoder,
    train_autoencoder,
)
from generation.diffusion.denoiser import Denoiser, DenoiserConfig, train_denoiser
from generation.diffusion.latents import cache_latents
from generation.diffusion.stages import StagedTraining
from generation.diffusion.text_encoder import train_tokenizer
from generation.measures.features import FeatureConfig, FeatureNet, train_features
from generation.measures.reference import build_reference, save_reference
from generation.specs import PretrainSpec
from generation.training import processes
from generation.training.devices import device
from generation.training.images import ImageSet, join, load_images, read_manifest


class Pretraining(StagedTraining[PretrainSpec]):
    """A base model is trained from nothing, with the feature network of its quality."""

    @property
    def total(self) -> int:
        spec = self.spec
        return (
            spec.feature_steps
            + spec.autoencoder_steps
            + spec.latent_versions
            + spec.decoder_steps
            + spec.denoiser_steps
        )

    def run(self, model: Path) -> None:
        """Train all parts and leave a model in the diffusers format, with ``quality/``."""
        rows = read_manifest(Path(self.spec.manifest))
        training = load_images(rows, split="train", resolution=self.spec.resolution)
        if processes.rank() == 0:
            heldout = join(
                load_images(rows, split="validation", resolution=self.spec.resolution),
                load_images(rows, split="test", resolution=self.spec.resolution),
            )
            self.measure_quality(training, heldout)
            self.encode(training)
        processes.hand_on(self.checkpoint)
        autoencoder, latents = self.encode(training)
        tokenizer = train_tokenizer([whole_prompt(row) for row in training.rows])
        denoiser = self.denoise(training, latents, tokenizer)
        if processes.rank() == 0:
            self.save(model, autoencoder, denoiser, tokenizer)

    def measure_quality(self, training: ImageSet, heldout: ImageSet) -> None:
        """Train the feature network and keep what candidates will be compared with."""
        net = train_features(
            training,
            FeatureConfig(steps=self.spec.feature_steps, seed=self.spec.seed),
            device=device(),
            checkpoint=self.checkpoint / "features.pt",
            report=self.report("features", after=0),
        )
        quality = self.checkpoint / "quality"
        net.save(quality)
        save_reference(build_reference(FeatureNet.load(quality), training, heldout), quality)

    def encode(self, training: ImageSet) -> tuple[AutoencoderKL, torch.Tensor]:
        """Train the autoencoder, make the latents, sharpen the decoder; then only read them."""
        spec = self.spec
        config = AutoencoderConfig(
            resolution=spec.resolution, steps=spec.autoencoder_steps, seed=spec.seed
        )
        autoencoder = train_autoencoder(
            training,
            config,
            device=device(),
            checkpoint=self.checkpoint / "autoencoder.pt",
            report=self.report("autoencoder", after=spec.feature_steps),
        )
        latents = cache_latents(
            autoencoder,
            training,
            versions=spec.latent_versions,
            seed=spec.seed,
            cache=self.checkpoint / "latents.pt",
            report=self.report("latents", after=spec.feature_steps + spec.autoencoder_steps),
        )
        before = spec.feature_steps + spec.autoencoder_steps + spec.latent_versions
        autoencoder = sharpen_decoder(
            autoencoder,
            training,
            replace(config, steps=spec.decoder_steps, seed=spec.seed + 1),
            checkpoint=self.checkpoint / "decoder.pt",
            report=self.report("decoder", after=before),
        )
        return autoencoder, latents

    def denoise(
        self, training: ImageSet, latents: torch.Tensor, tokenizer: CLIPTokenizer
    ) -> Denoiser:
        config = DenoiserConfig(
            latent_side=latents.shape[-1],
            latent_channels=latents.shape[2],
            steps=self.spec.denoiser_steps,
            batch_size=self.spec.batch_size,
            seed=self.spec.seed,
        )
        return train_denoiser(
            latents,
            training.rows,
            tokenizer,
            config,
            checkpoint=self.checkpoint / "denoiser.pt",
            report=self.report("denoiser", after=self.total - self.spec.denoiser_steps),
        )

    def save(
        self,
        model: Path,
        autoencoder: AutoencoderKL,
        denoiser: Denoiser,
        tokenizer: CLIPTokenizer,
    ) -> None:
        """Save in half precision."""
        pipeline = assemble(autoencoder, denoiser, tokenizer, dtype=torch.float16)

        def save(folder: Path) -> None:
            pipeline.save_pretrained(folder)
            shutil.copytree(self.checkpoint / "quality", folder / "quality")

        self.publish(model, save)
