"""The contract between the Django side and the torch side.

Frozen, validated and torch-free. The Django side writes a spec as ``spec.json``
into a run folder; a process of the torch side reads it there.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from generation.errors import RemediableError

BUNDLED = "bundled"
"""The location that stands for the checkpoint in ``generation/bundled``."""

PROMPT_MAX_CHARACTERS = 1_000

Mode = Literal["t2i", "m2i", "tm2i"]
"""Text only; mask only, the text zeroed; text and mask."""
MaskKind = Literal["lungs", "heart", "pneumothorax", "rib_fracture", "tube", "opacity"]
"""In the order of a control image's channels."""
Sampler = Literal["unipc", "dpmsolver++", "ddim"]
Split = Literal["train", "validation", "test"]
Method = Literal["dpo_margin", "dpo_paper", "reward_weighted", "kto", "draft"]
PAIR_METHODS: tuple[Method, ...] = ("dpo_margin", "dpo_paper")
"""What learns from pairs; the other methods learn from ratings."""

Axis = Literal["text", "mask"]
AXES: tuple[Axis, ...] = get_args(Axis)
Part = Literal["unet", "controlnet"]
PARTS: tuple[Part, ...] = get_args(Part)
Precision = Literal["float32", "bfloat16"]

Score = Annotated[float, Field(ge=0, le=5)]
Propensity = Annotated[float, Field(gt=0, le=1)]
ClassifierNetwork = Literal["densenet121", "small", "tiny"]

Task = Literal["classification", "segmentation"]
Arm = Literal[
    "real",
    "unfiltered",
    "curated",
    "finetuned_curated",
    "pretrained",
    "synthetic",
    "transformed",
]
"""What a downstream model learns from: real images alone; and synthetic ones as they were
generated; and a curated set; and a curated set of a fine-tuned model; synthetic images first
and then real ones; synthetic images alone; real images and transformed copies of them."""
ARMS: tuple[Arm, ...] = get_args(Arm)
ARMS_OF_REAL_IMAGES: tuple[Arm, ...] = ("real", "transformed")
"""Arms without a synthetic image."""

_CONFIG = ConfigDict(extra="forbid")

Spec = TypeVar("Spec")


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class ModelSource:
    """Where the weights of a model version come from.

    ``base`` is ``BUNDLED``, a folder in the diffusers format, or a hub id;
    ``adapters`` are LoRA folders, oldest first, merged into the UNet at load.
    """

    base: str
    adapters: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class MaskFile:
    """A PNG of 0 and 255, of the candidate's size, with one kind of mask."""

    kind: MaskKind
    path: str


MOST_AT_ONCE = 24
"""The bundled model makes 1.8 times as many images a second of 24 together as of 8."""
PIXELS_AT_ONCE = 8 * 512 * 512


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class SampleSpec:
    """What one candidate follows from, the model version apart.

    ``width`` and ``height`` are in pixels and multiples of 8. ``masks`` are what the
    modes m2i and tm2i follow.
    """

    prompt: str = Field(max_length=PROMPT_MAX_CHARACTERS)
    seed: int = Field(ge=0, lt=2**63)
    mode: Mode = "t2i"
    sampler: Sampler = "dpmsolver++"
    steps: int = Field(default=16, ge=1, le=200)
    guidance_scale: float = Field(default=1.0, ge=0, le=30)
    width: int = Field(default=128, ge=32, le=2048, multiple_of=8)
    height: int = Field(default=128, ge=32, le=2048, multiple_of=8)
    masks: tuple[MaskFile, ...] = ()

    @property
    def at_once(self) -> int:
        """How many images of this size are made together."""
        return max(1, min(MOST_AT_ONCE, PIXELS_AT_ONCE // (self.width * self.height)))


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class TrainingImage:
    """One line of a training manifest (JSON lines).

    ``masks`` are paths of 0/255 PNGs of the image's size, by kind; ``unknown`` are
    findings of which the source does not say whether they are there.
    """

    path: str
    image_id: str
    patient: str
    split: Split
    findings: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    masks: dict[str, str] = Field(default_factory=dict)
    view: str = ""
    sex: str = ""
    race: str = ""
    age_years: int | None = None


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class PretrainSpec:
    """Train a latent diffusion model from nothing on a cohort's training split.

    ``batch_size`` is the denoiser's; ``latent_versions`` says how many augmented
    versions of every image the denoiser is trained on. ``decoder_steps`` sharpen the
    decoder alone, once the latents are made.
    """

    manifest: str
    cohort: str
    resolution: int = Field(default=128, ge=32, le=512, multiple_of=32)
    feature_steps: int = Field(default=700, ge=1)
    autoencoder_steps: int = Field(default=2_200, ge=1)
    latent_versions: int = Field(default=24, ge=1)
    decoder_steps: int = Field(default=5_000, ge=1)
    denoiser_steps: int = Field(default=4_400, ge=1)
    batch_size: int = Field(default=16, ge=1)
    seed: int = 0


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class ControlNetSpec:
    """Train a ControlNet for masks on a cohort's training split; the model stays as it is.

    ``latent_versions`` says how many augmented versions of every image are trained on.
    The shares are of training examples: with an empty prompt (for guidance), with a
    zeroed text embedding (mode m2i), without any mask, and, of each kind of mask of an
    example, how often it is not told.
    """

    model: ModelSource
    manifest: str
    cohort: str
    latent_versions: int = Field(default=16, ge=1)
    steps: int = Field(default=6_000, ge=1)
    batch_size: int = Field(default=16, ge=1)
    learning_rate: float = Field(default=4e-4, gt=0)
    empty_prompt_share: float = Field(default=0.1, ge=0, le=1)
    zero_text_share: float = Field(default=0.2, ge=0, le=1)
    no_mask_share: float = Field(default=0.05, ge=0, le=1)
    untold_kind_share: float = Field(default=0.15, ge=0, le=1)
    seed: int = 0


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class SegmenterSpec:
    """Train a segmenter of one kind of mask on the real images of a manifest.

    ``widths`` are the U-Net's channels from the finest level to the coarsest. After
    every ``evaluate_every`` steps the validation split is measured; training stops
    where ``patience`` measurements in a row were not better, or after ``max_steps``.
    """

    manifest: str
    kind: str = Field(default="lungs", min_length=1, max_length=32)
    resolution: int = Field(default=128, ge=32, le=1024, multiple_of=32)
    widths: tuple[int, ...] = Field(default=(16, 32, 64, 96, 128), min_length=2, max_length=6)
    max_steps: int = Field(default=1_500, ge=1)
    batch_size: int = Field(default=8, ge=1)
    learning_rate: float = Field(default=2e-3, gt=0)
    evaluate_every: int = Field(default=50, ge=1)
    patience: int = Field(default=12, ge=1)
    seed: int = 0


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class ClassifierSpec:
    """Train a classifier of findings on the real images of a manifest.

    It stops as a segmenter does. ``densenet121`` wants a GPU; ``small`` is for a CPU,
    ``tiny`` for trying things out.
    """

    manifest: str
    resolution: int = Field(default=128, ge=32, le=1024, multiple_of=32)
    network: ClassifierNetwork = "densenet121"
    max_steps: int = Field(default=2_000, ge=1)
    batch_size: int = Field(default=16, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    evaluate_every: int = Field(default=50, ge=1)
    patience: int = Field(default=8, ge=1)
    seed: int = 0


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class CellSpec:
    """Train one downstream model of an experiment and measure it on real test images.

    ``real`` is a training manifest of the cohort, all splits; ``training_ids`` are the image
    ids of the training split that this cell may learn from; ``synthetic`` is a manifest (split
    train) of as many or more synthetic images, of which ``synthetic_count`` are drawn by seed,
    balanced over what is asked for (``findings``, and none of them; nothing for segmentation).
    In the arm ``transformed`` that count is of transformed copies of the real images.
    A classifier tells ``findings``, each there or not; a segmenter draws ``kind`` with
    ``widths``. When to stop, and the threshold, follow from the validation split by one rule,
    the same in every arm.
    """

    task: Task
    arm: Arm
    real: str = Field(min_length=1)
    training_ids: tuple[str, ...] = ()
    synthetic: str = ""
    synthetic_count: int = Field(default=0, ge=0)
    findings: tuple[str, ...] = ()
    kind: str = Field(default="lungs", min_length=1, max_length=32)
    resolution: int = Field(default=128, ge=32, le=1024, multiple_of=32)
    network: ClassifierNetwork = "small"
    widths: tuple[int, ...] = Field(default=(16, 32, 64, 96, 128), min_length=2, max_length=6)
    max_steps: int = Field(default=400, ge=1)
    batch_size: int = Field(default=16, ge=2)
    learning_rate: float = Field(default=2e-3, gt=0)
    evaluate_every: int = Field(default=20, ge=1)
    patience: int = Field(default=8, ge=1)
    precision: Precision = "bfloat16"
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _task_says_what_it_is_about(self) -> Self:
        if self.task == "classification" and not self.findings:
            raise ValueError("a classification names the findings that it tells")
        if self.task == "segmentation" and self.findings:
            raise ValueError("a segmentation tells no findings")
        for name, values in (("findings", self.findings), ("training_ids", self.training_ids)):
            if len(set(values)) < len(values):
                raise ValueError(f"{name} names something twice")
        return self

    @model_validator(mode="after")
    def _arm_has_what_it_learns_from(self) -> Self:
        if self.arm in ARMS_OF_REAL_IMAGES and self.synthetic:
            raise ValueError(f"the arm {self.arm!r} has no synthetic images")
        if self.arm not in ARMS_OF_REAL_IMAGES and not self.synthetic:
            raise ValueError(f"the arm {self.arm!r} needs synthetic images")
        if (self.synthetic_count > 0) == (self.arm == "real"):
            wanted = "0" if self.arm == "real" else "above 0"
            raise ValueError(f"synthetic_count has to be {wanted} in the arm {self.arm!r}")
        if (self.arm == "synthetic") == bool(self.training_ids):
            wanted = "empty" if self.arm == "synthetic" else "filled"
            raise ValueError(f"training_ids have to be {wanted} in the arm {self.arm!r}")
        return self


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class Preference:
    """A pair from one reader and one case (one line of JSON lines).

    Scores are means over the study's criteria, on the 0-5 scale. ``axes`` has, where a
    reader was asked about more than one, the winner's and the loser's score on each; on
    one of them the loser may be the better one. ``masks`` are the files, by kind, of those
    that both were conditioned on; with masks and no prompt they were made in mode m2i. Where the
    case was drawn, ``propensity`` is how likely it was to be, and ``uniform_propensity`` how
    likely it would have been by lot.
    """

    winner: str
    loser: str
    prompt: str = ""
    winner_score: float = Field(ge=0, le=5)
    loser_score: float = Field(ge=0, le=5)
    reliability: float = Field(default=1.0, ge=0, le=1)
    axes: dict[Axis, tuple[Score, Score]] = Field(default_factory=dict)
    masks: dict[MaskKind, str] = Field(default_factory=dict)
    propensity: Propensity | None = None
    uniform_propensity: Propensity | None = None

    @model_validator(mode="after")
    def _winner_scores_higher(self) -> Self:
        if self.winner_score <= self.loser_score:
            raise ValueError("the winner of a pair must have the higher score")
        return self


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
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
    propensity_weighting: bool = False
    seed: int = 0


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class Rating:
    """One image as one reader saw it (one line of JSON lines).

    ``scores`` are means over the criteria of an axis, 0 to 5, where there are any;
    ``is_accepted`` is what the reader said outright, None where nothing was said. Prompt,
    ``masks`` and propensities are as in a preference.
    """

    image: str
    prompt: str = ""
    scores: dict[Axis, Score] = Field(default_factory=dict)
    is_accepted: bool | None = None
    reliability: float = Field(default=1.0, ge=0, le=1)
    masks: dict[MaskKind, str] = Field(default_factory=dict)
    propensity: Propensity | None = None
    uniform_propensity: Propensity | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.scores and self.is_accepted is None:
            raise ValueError("a rating has a score or a verdict")
        return self


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class FineTuneSpec:
    """Fine-tune a LoRA adapter on readings.

    ``preferences`` is a file of JSON lines, preferences and ratings; ``real_images`` a
    training manifest whose training split is practised on, or nothing. ``beta`` is in
    units of noise error (epsilon); a v-prediction error is converted before it is used.
    ``denoising_weight`` is that of the denoising term of ``dpo_margin``, on winners and
    real images. ``safeguarded`` limits what the losers of a pair may do (both ``dpo``).
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
    steps: int = Field(default=150, ge=1)
    batch_size: int = Field(default=8, ge=1)
    accumulate: int = Field(default=1, ge=1)
    learning_rate: float = Field(default=7e-4, gt=0)
    beta: float = Field(default=2_000.0, gt=0)
    rank: int = Field(default=8, ge=1)
    denoising_weight: float = Field(default=0.1, ge=0)
    safeguarded: bool = False
    accepted_from: float = Field(default=2.5, ge=0, le=5)
    temperature: float = Field(default=1.0, gt=0)
    anchor_weight: float = Field(default=10.0, ge=0)
    ema_decay: float = Field(default=0.0, ge=0, lt=1)
    precision: Precision = "float32"
    whole_cases: bool = False
    recompute: bool = False
    adapted: tuple[Part, ...] = Field(default=("unet",), min_length=1)
    reward_model: str = ""
    seed: int = 0

    @model_validator(mode="after")
    def _parts_are_whole(self) -> Self:
        if self.batch_size % self.accumulate:
            raise ValueError(
                f"batch_size {self.batch_size} cannot be taken in {self.accumulate} equal parts"
            )
        return self


@contextmanager
def naming_the_setting() -> Iterator[None]:
    """Say which setting of a spec that is made here cannot be used, and why."""
    try:
        yield
    except ValidationError as error:
        raise RemediableError(
            _said_of(error.errors()[0]), remedy="Choose another value."
        ) from error


def _said_of(problem: Mapping[str, Any]) -> str:
    """In words; a problem of several settings together has no name or value of its own."""
    if not problem["loc"]:
        return f"{problem['msg'].removeprefix('Value error, ')}."
    return f"{'.'.join(map(str, problem['loc']))} = {problem['input']!r}: {problem['msg']}."


def write_spec(spec: object, path: Path) -> None:
    path.write_bytes(TypeAdapter(type(spec)).dump_json(spec, indent=2))


def read_spec(kind: type[Spec], path: Path) -> Spec:
    """Read a spec of this kind; a bad one raises ``pydantic.ValidationError``."""
    return TypeAdapter(kind).validate_json(path.read_bytes())
