"""How a model learns from readings: a fine-tune, and a reward model."""

from typing import Literal, Self, get_args

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from generation.specs.candidates import ModelSource
from generation.specs.cells import Precision
from generation.specs.strict import STRICT

Method = Literal["dpo_margin", "dpo_paper", "reward_weighted", "kto", "draft"]
PAIR_METHODS: tuple[Method, ...] = ("dpo_margin", "dpo_paper")
"""The methods that learn from pairs; the others learn from ratings."""

Part = Literal["unet", "controlnet"]
PARTS: tuple[Part, ...] = get_args(Part)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RewardModelSpec:
    """Train a reward model on the preferences of a snapshot.

    ``trunk`` is the folder of a classifier, or ``package.module:callable`` that gives a
    torch module from N x 1 x R x R in [-1, 1] to N x F. It stays as it is: what learns
    are ``members`` small heads, each on prompts drawn anew with replacement. With
    ``propensity_weighting`` a pair counts by how much less likely its case was to be chosen
    than by lot (``generation.rewards.acquisition``); a pair without a propensity counts one.
    """

    preferences: str
    trunk: str = Field(min_length=1)
    members: int = Field(default=5, ge=2, le=20)
    hidden: int = Field(default=16, ge=1)
    steps: int = Field(default=40, ge=1)
    learning_rate: float = Field(default=3e-3, gt=0)
    weight_decay: float = Field(default=1.0, ge=0)
    ordinal_weight: float = Field(default=0.5, ge=0)
    propensity_weighting: bool = Field(
        default=False,
        description="Weigh pairs of an active order back to what drawing by lot would have given",
    )
    seed: int = 0


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FineTuneSpec:
    """Fine-tune a LoRA adapter on readings.

    ``preferences`` is a file of JSON lines, preferences and ratings; ``real_images`` a
    training manifest whose training split is practised on, or nothing. ``beta`` is in
    units of noise error (epsilon); a v-prediction error is converted before it is used.
    ``denoising_weight`` is that of the denoising term of ``dpo_margin``, on winners and
    real images. ``safeguarded`` limits what the losers of a pair may do (both ``dpo``).
    ``region_weight`` is the part of a loser's error that is taken where a reader marked an
    artefact on it, instead of over all of it (both ``dpo``); losers without marks count whole.
    ``accepted_from`` is the score from which an image that is rated only counts as
    accepted (``kto``). ``temperature`` is that of the weights of ``reward_weighted``, in
    points. ``anchor_weight`` ties ``draft`` to the parent. ``batch_size`` is that of one
    step over all processes; ``accumulate`` says in how many parts a process takes its
    share. With ``whole_cases`` a step of ``dpo`` takes so many cases instead of pairs:
    every image of one passes the network once, however many pairs it is in. With
    ``recompute`` activations are computed again for the gradients instead of kept: less
    memory, more time. ``ema_decay`` 0 averages no weights. ``adapted`` are the parts that get an
    adapter. ``reward_model`` is the folder of the one that ``draft`` climbs; without one, a
    regression is fitted to the scores. The defaults suit the bundled model; one
    of Stable Diffusion's size wants a learning rate of about 1e-4 and more steps.
    """

    model: ModelSource
    preferences: str
    method: Method = "dpo_margin"
    real_images: str = ""
    steps: int = Field(default=150, ge=1, le=100_000)
    batch_size: int = Field(default=8, ge=1, le=1_024)
    accumulate: int = Field(default=1, ge=1, le=1_024)
    learning_rate: float = Field(default=7e-4, gt=0)
    beta: float = Field(default=2_000.0, gt=0)
    rank: int = Field(default=8, ge=1, le=256)
    denoising_weight: float = Field(default=0.1, ge=0)
    safeguarded: bool = False
    region_weight: float = Field(default=0.0, ge=0, le=1)
    accepted_from: float = Field(default=2.5, ge=0, le=5)
    temperature: float = Field(default=1.0, gt=0)
    anchor_weight: float = Field(default=10.0, ge=0)
    ema_decay: float = Field(default=0.0, ge=0, lt=1)
    precision: Precision = "float32"
    whole_cases: bool = False
    recompute: bool = False
    adapted: tuple[Part, ...] = Field(default=("unet",), min_length=1)
    reward_model: str = ""
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _parts_are_whole(self) -> Self:
        if self.batch_size % self.accumulate:
            raise ValueError(
                f"batch_size {self.batch_size} cannot be taken in {self.accumulate} equal parts"
            )
        return self
