"""The fine-tuning loop, on a tiny seeded network."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from peft import get_peft_model_state_dict

from generation.diffusion.checkpoints import load_state
from generation.preferences.losses import PairErrors
from generation.preferences.pairs import EncodedPairs
from generation.preferences.training import (
    add_lora,
    fine_tune,
    pair_errors,
    preference_loss,
    spread_timesteps,
)
from generation.specs import FineTuneSpec, ModelSource


@pytest.fixture
def scheduler() -> DDIMScheduler:
    return DDIMScheduler(prediction_type="v_prediction")


def make_unet() -> UNet2DConditionModel:
    torch.manual_seed(0)
    unet: UNet2DConditionModel = UNet2DConditionModel(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        block_out_channels=(8, 16),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=8,
        attention_head_dim=4,
        norm_num_groups=4,
    )
    return unet


@pytest.fixture
def pairs() -> EncodedPairs:
    generator = torch.Generator().manual_seed(3)
    latents = torch.randn(4, 4, 8, 8, generator=generator)
    latents[:2] += 1.0
    return EncodedPairs(
        latents=latents,
        embeddings=torch.randn(2, 5, 8, generator=generator),
        winner=torch.tensor([0, 1, 0, 1]),
        loser=torch.tensor([2, 3, 3, 2]),
        prompt=torch.tensor([0, 1, 0, 1]),
        winner_score=torch.tensor([5.0, 4.0, 4.0, 3.0]),
        loser_score=torch.tensor([1.0, 0.0, 3.0, 1.0]),
        reliability=torch.ones(4),
    )


def make_spec(**changes: object) -> FineTuneSpec:
    values: dict[str, object] = {
        "model": ModelSource(base="none"),
        "preferences": "none",
        "steps": 2,
        "batch_size": 4,
        "learning_rate": 1e-2,
        "rank": 2,
    }
    return FineTuneSpec(**(values | changes))  # type: ignore[arg-type]


def ignore(step: int, figures: Mapping[str, float]) -> None:
    pass


def errors_of(
    unet: UNet2DConditionModel, scheduler: DDIMScheduler, pairs: EncodedPairs
) -> PairErrors:
    noise = torch.randn(4, 4, 8, 8, generator=torch.Generator().manual_seed(9))
    return pair_errors(
        unet,
        scheduler,
        pairs,
        chosen=torch.arange(4),
        timesteps=torch.tensor([50, 300, 600, 900]),
        noise=noise,
    )


def disturb(weights: list[torch.nn.Parameter]) -> None:
    """LoRA begins as nothing at all, where every preference loss is the same."""
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for weight in weights:
            weight.add_(0.3 * torch.randn(weight.shape, generator=generator))


def test_the_reference_is_the_network_without_its_adapter(
    scheduler: DDIMScheduler, pairs: EncodedPairs
) -> None:
    unet = make_unet()
    weights = add_lora(unet, rank=2, seed=0)
    before = errors_of(unet, scheduler, pairs)
    torch.testing.assert_close(before.winner, before.reference_winner)
    disturb(weights)
    after = errors_of(unet, scheduler, pairs)
    torch.testing.assert_close(after.reference_winner, before.winner)
    torch.testing.assert_close(after.reference_loser, before.loser)
    assert ((after.winner / after.reference_winner - 1).abs() > 1e-2).all()


@pytest.mark.parametrize("method", ["dpo_margin", "dpo_paper"])
def test_gradients_reach_the_adapter_and_nothing_else(
    scheduler: DDIMScheduler, pairs: EncodedPairs, method: str
) -> None:
    unet = make_unet()
    weights = add_lora(unet, rank=2, seed=0)
    disturb(weights)
    errors = errors_of(unet, scheduler, pairs)
    preference_loss(errors, pairs, torch.arange(4), make_spec(method=method)).backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in weights)
    frozen = [weight for weight in unet.parameters() if not weight.requires_grad]
    assert frozen
    assert all(weight.grad is None for weight in frozen)


def test_both_images_of_a_pair_meet_the_same_noise(
    scheduler: DDIMScheduler, pairs: EncodedPairs
) -> None:
    twins = EncodedPairs(**(vars(pairs) | {"loser": pairs.winner}))
    unet = make_unet()
    add_lora(unet, rank=2, seed=0)
    errors = errors_of(unet, scheduler, twins)
    torch.testing.assert_close(errors.winner, errors.loser, atol=1e-5, rtol=1e-5)


def test_training_prefers_the_winners_more_than_the_parent_did(
    scheduler: DDIMScheduler, pairs: EncodedPairs, tmp_path: Path
) -> None:
    unet = make_unet()
    spec = make_spec(steps=30, denoising_weight=0.0, beta=100.0)
    fine_tune(unet, scheduler, pairs, spec, checkpoint=tmp_path / "c.pt", report=ignore)
    errors = errors_of(unet, scheduler, pairs)
    assert (errors.winner_rise < errors.loser_rise).all()


def test_the_same_seed_gives_the_same_adapter_resumed_or_not(
    scheduler: DDIMScheduler, pairs: EncodedPairs, tmp_path: Path
) -> None:
    class Killed(Exception):
        pass

    def kill_in_step_26(step: int, figures: Mapping[str, float]) -> None:
        if step == 26:
            raise Killed

    spec = make_spec(steps=28)
    unbroken, resumed = make_unet(), make_unet()
    fine_tune(unbroken, scheduler, pairs, spec, checkpoint=tmp_path / "a.pt", report=ignore)
    with pytest.raises(Killed):
        fine_tune(
            make_unet(),
            scheduler,
            pairs,
            spec,
            checkpoint=tmp_path / "b.pt",
            report=kill_in_step_26,
        )
    state = load_state(tmp_path / "b.pt")
    assert state is not None
    assert state["step"] == 25
    fine_tune(resumed, scheduler, pairs, spec, checkpoint=tmp_path / "b.pt", report=ignore)
    expected = get_peft_model_state_dict(unbroken)
    for name, weight in get_peft_model_state_dict(resumed).items():
        torch.testing.assert_close(weight, expected[name], atol=0, rtol=0)


def test_a_saved_adapter_loads_upon_the_parent_and_gives_the_same_output(
    scheduler: DDIMScheduler, pairs: EncodedPairs, tmp_path: Path
) -> None:
    taught = make_unet()
    fine_tune(taught, scheduler, pairs, make_spec(), checkpoint=tmp_path / "c.pt", report=ignore)
    taught.save_lora_adapter(tmp_path / "adapter")
    loaded = make_unet()
    loaded.load_lora_adapter(tmp_path / "adapter", prefix=None, use_safetensors=True)
    loaded.fuse_lora()
    sample = torch.ones(1, 4, 8, 8)
    with torch.no_grad():
        expected = taught(sample, 500, pairs.embeddings[:1]).sample
        torch.testing.assert_close(
            loaded.eval()(sample, 500, pairs.embeddings[:1]).sample, expected, atol=1e-5, rtol=1e-4
        )


def test_figures_are_reported_for_every_step(
    scheduler: DDIMScheduler, pairs: EncodedPairs, tmp_path: Path
) -> None:
    seen: list[tuple[int, set[str]]] = []
    fine_tune(
        make_unet(),
        scheduler,
        pairs,
        make_spec(),
        checkpoint=tmp_path / "c.pt",
        report=lambda step, figures: seen.append((step, set(figures))),
    )
    assert seen == [(step, {"loss", "accuracy", "margin"}) for step in (1, 2)]


def test_timesteps_come_from_all_parts_between_texture_and_pure_noise() -> None:
    generator = torch.Generator().manual_seed(0)
    timesteps = spread_timesteps(13, total=1_000, generator=generator)
    assert sorted(((timesteps - 300) // 50).tolist()) == list(range(13))
