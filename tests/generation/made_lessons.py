"""A tiny seeded network and made-up lessons, for tests of learning from readings."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from diffusers import ControlNetModel, DDIMScheduler, UNet2DConditionModel

from generation.preferences.lessons import Lessons, Pairs, Pictures, Ratings, Reals
from generation.preferences.networks import Network
from generation.specs import FineTuneSpec, ModelSource

NAN = float("nan")


def make_scheduler() -> DDIMScheduler:
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


def make_network() -> Network:
    return Network(make_unet())


def make_masked_network(adapted: tuple[str, ...] = ("unet", "controlnet")) -> Network:
    """With a ControlNet whose zero convolutions are no longer zero, as after training."""
    unet = make_unet()
    controlnet: ControlNetModel = ControlNetModel.from_unet(
        unet, conditioning_embedding_out_channels=(4, 8), conditioning_channels=1
    )
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for weight in controlnet.controlnet_mid_block.parameters():
            weight.add_(0.3 * torch.randn(weight.shape, generator=generator))
        for weight in controlnet.controlnet_down_blocks.parameters():
            weight.add_(0.3 * torch.randn(weight.shape, generator=generator))
        for weight in controlnet.controlnet_cond_embedding.conv_out.parameters():
            weight.add_(0.3 * torch.randn(weight.shape, generator=generator))
    return Network(unet, controlnet, adapted=adapted)  # type: ignore[arg-type]


def make_lessons(*, controls: bool = False, reals: bool = False) -> Lessons:
    """Four pairs and four ratings on four images, of two prompts; latents are 4 x 8 x 8."""
    generator = torch.Generator().manual_seed(3)
    latents = torch.randn(4, 4, 8, 8, generator=generator)
    latents[:2] += 1.0
    one_axis = torch.tensor([[5.0, NAN], [4.0, NAN], [4.0, NAN], [3.0, NAN]])
    other = torch.tensor([[1.0, NAN], [0.0, NAN], [3.0, NAN], [1.0, NAN]])
    prompt = torch.tensor([0, 1, 0, 1])
    control = torch.tensor([1, 2, 1, 2]) if controls else torch.zeros(4).long()
    return Lessons(
        pictures=Pictures(
            latents=latents,
            embeddings=torch.randn(2, 5, 8, generator=generator),
            controls=(
                torch.cat(
                    [torch.zeros(1, 1, 16, 16), torch.rand(2, 1, 16, 16, generator=generator)]
                )
                if controls
                else torch.empty(0)
            ),
        ),
        pairs=Pairs(
            winner=torch.tensor([0, 1, 0, 1]),
            loser=torch.tensor([2, 3, 3, 2]),
            prompt=prompt,
            control=control,
            winner_score=one_axis,
            loser_score=other,
            reliability=torch.ones(4),
        ),
        ratings=Ratings(
            image=torch.arange(4),
            prompt=prompt,
            control=control,
            score=torch.tensor([[5.0, NAN], [4.0, NAN], [1.0, NAN], [NAN, NAN]]),
            accepted=torch.tensor([NAN, NAN, NAN, 0.0]),
            reliability=torch.ones(4),
        ),
        reals=Reals(
            image=torch.tensor([0, 1]) if reals else torch.empty(0).long(),
            prompt=torch.tensor([0, 1]) if reals else torch.empty(0).long(),
        ),
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


def brightness(latents: torch.Tensor, prompt: torch.Tensor) -> torch.Tensor:
    """A reward that is easily climbed; shape N."""
    return latents.mean(dim=(1, 2, 3))


def ignore(step: int, figures: Mapping[str, float]) -> None:
    pass


def disturb(weights: list[torch.nn.Parameter]) -> None:
    """LoRA begins as nothing at all, where every preference loss is the same."""
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for weight in weights:
            weight.add_(0.3 * torch.randn(weight.shape, generator=generator))


def without(lessons: Lessons, part: str) -> Lessons:
    """The lessons with no pair or no rating."""
    rows = getattr(lessons, part)
    return replace(lessons, **{part: type(rows)(**{n: v[:0] for n, v in vars(rows).items()})})
