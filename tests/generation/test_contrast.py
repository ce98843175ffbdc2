"""Contrasts: prompts of the opposite, and a model that learns its own differences."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from diffusers import DDPMScheduler, StableDiffusionPipeline

from generation.conditioning.opposites import opposite
from generation.diffusion.continuing import plan_of
from generation.diffusion.contrast import ContrastTrainee
from generation.diffusion.denoiser import Denoiser, DenoiserConfig
from generation.diffusion.loading import load_pipeline
from generation.specs import ContinueSpec, ModelSource, TrainingImage
from generation.training.loop import train
from tests.tiny_model import save_tiny_model

PROMPT = "chest x-ray, pneumonia, PA view, female, 30 years"


@pytest.mark.parametrize(
    ("prompt", "thing", "other"),
    [
        (PROMPT, "view", "chest x-ray, pneumonia, AP view, female, 30 years"),
        (PROMPT, "sex", "chest x-ray, pneumonia, PA view, male, 30 years"),
        (PROMPT, "age", "chest x-ray, pneumonia, PA view, female, 70 years"),
        (PROMPT, "finding", "chest x-ray, no finding, PA view, female, 30 years"),
        ("chest x-ray, no finding, 70 years", "age", "chest x-ray, no finding, 30 years"),
        ("chest x-ray, no finding", "finding", "chest x-ray, pneumonia"),
        ("chest x-ray, edema", "sex", "chest x-ray, edema"),
        ("chest x-ray, edema", "age", "chest x-ray, edema"),
        ("", "finding", ""),
    ],
)
def test_an_opposite_differs_in_one_thing_or_not_at_all(
    prompt: str, thing: str, other: str
) -> None:
    assert opposite(prompt, thing) == other


def trainee_of(
    pipeline: StableDiffusionPipeline, *, contrasts: Mapping[str, float], since: int
) -> ContrastTrainee:
    rows = tuple(
        TrainingImage(
            path="none", image_id=sex, patient=sex, split="train", sex=sex, findings=("pneumonia",)
        )
        for sex in "FM"
    )
    return ContrastTrainee(
        Denoiser(pipeline.unet, pipeline.text_encoder),
        torch.randn(2, 2, 4, 8, 8, generator=torch.Generator().manual_seed(0)),
        rows,
        pipeline.tokenizer,
        DenoiserConfig(
            latent_side=8, latent_channels=4, steps=60, batch_size=8, prompt_dropout=0.0
        ),
        DDPMScheduler.from_config(pipeline.scheduler.config),
        contrasts=contrasts,
        since=since,
    )


@pytest.fixture
def pipeline(tmp_path: Path) -> StableDiffusionPipeline:
    save_tiny_model(tmp_path / "tiny")
    loaded = load_pipeline(ModelSource(base=str(tmp_path / "tiny")))
    assert isinstance(loaded, StableDiffusionPipeline)
    return loaded


def test_the_target_is_three_times_further_from_the_opposite_where_noise_is_enough(
    pipeline: StableDiffusionPipeline,
) -> None:
    trainee = trainee_of(pipeline, contrasts={"sex": 3.0}, since=200)
    female, male = "chest x-ray, pneumonia, female", "chest x-ray, pneumonia, male"
    prompts = [female, female, "chest x-ray, pneumonia"]
    noised = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1)).repeat(3, 1, 1, 1)
    timesteps, nowhere = torch.tensor([500, 100, 500]), torch.zeros(3, dtype=torch.bool)
    target, own = trainee.target(noised, timesteps, prompts, nowhere)
    with torch.no_grad():
        other = trainee.predict(trainee.teacher, noised, timesteps, [male] * 3, nowhere)
    assert (own - other)[0].abs().max() > 1e-3
    torch.testing.assert_close(target[0], own[0] + 3 * (own - other)[0], atol=0.02, rtol=0.02)
    assert torch.equal(target[1:], own[1:])


def test_a_model_learns_its_contrast_and_the_teacher_stays(
    pipeline: StableDiffusionPipeline, tmp_path: Path
) -> None:
    spec = ContinueSpec(
        model=ModelSource(base="tiny"),
        manifest="none",
        cohort="noise",
        steps=60,
        batch_size=8,
        learning_rate=1e-3,
        sex_contrast=10.0,
    )
    trainee = trainee_of(pipeline, contrasts=spec.contrasts, since=0)
    taught = [weight.clone() for weight in trainee.teacher.unet.parameters()]
    for part in trainee.networks.values():
        part.requires_grad_(True)
    train(trainee, plan_of(spec), checkpoint=None, report=lambda step, figures: None)
    with torch.no_grad():
        _, figures = trainee.loss(0, torch.Generator().manual_seed(9))
    assert figures["loss"] < 0.6 * figures["untaught"]
    kept = trainee.teacher.unet.parameters()
    assert all(torch.equal(*pair) for pair in zip(taught, kept, strict=True))
