"""How a vision-language model is trained on instructions."""

from typing import Self

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from generation.specs.candidates import BUNDLED
from generation.specs.strict import STRICT

VLM_TASKS = (
    "view classification",
    "sex classification",
    "age classification",
    "binary disease classification",
    "single disease identification",
    "image classification",
    "closed question answering",
    "open question answering",
    "image captioning",
)
"""The tasks of instructions that a small decoder is taught.

Boxes and findings in sentences are beyond it; matching long texts would double a step's cost.
"""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class VlmSpec:
    """Train a VLM in stages: language, encoder, bridge, instructions.

    ``instructions`` is the folder that ``build_instructions`` has written; ``eye`` is a VLM
    whose backbone is taken as it is. ``seen`` keeps what it saw of each picture, for other
    trainings too; empty for a folder of the run's own. ``queries`` more than 0 makes the bridge
    a query transformer of so many tokens. ``base`` is a VLM that was trained here, to be taught
    on: it has its language, and without encoder steps its eye too. With ``lora_rank`` the decoder
    learns instructions through an adapter of that rank, which is merged at the end.
    ``ridge`` is the encoder's C, as scikit-learn's logistic regression has it.
    """

    instructions: str = Field(min_length=1)
    eye: str = BUNDLED
    seen: str = ""
    base: str = ""
    tasks: tuple[str, ...] = VLM_TASKS
    image_size: int = Field(default=288, ge=32, le=1024, multiple_of=32)
    grid: int = Field(default=2, ge=1, le=16)
    eye_width: int = Field(default=64, ge=4)
    queries: int = Field(default=0, ge=0, le=256)
    vocabulary: int = Field(default=4_096, ge=300, le=65_536)
    width: int = Field(default=256, ge=8)
    layers: int = Field(default=6, ge=1)
    heads: int = Field(default=4, ge=1)
    language_steps: int = Field(default=300, ge=0)
    encoder_steps: int = Field(default=200, ge=0)
    bridge_steps: int = Field(default=60, ge=0)
    instruction_steps: int = Field(default=300, ge=0)
    batch_size: int = Field(default=32, ge=1)
    language_rate: float = Field(default=1.5e-3, gt=0)
    bridge_rate: float = Field(default=2e-3, gt=0)
    instruction_rate: float = Field(default=5e-4, gt=0)
    ridge: float = Field(default=0.003, gt=0)
    lora_rank: int = Field(default=0, ge=0, le=256)
    checkpoint_every: int = Field(default=50, ge=1)
    seed: int = 0

    @model_validator(mode="after")
    def _heads_fit(self) -> Self:
        if self.width % self.heads:
            raise ValueError("width has to be a multiple of heads")
        return self


@dataclass(frozen=True, kw_only=True, config=STRICT)
class BenchmarkSpec:
    """Let a VLM answer the frozen benchmark of a folder of instructions.

    ``vlm`` is ``bundled`` or a folder. ``benchmark`` is a folder within ``instructions``, whose
    training pictures teach the linear probes beside it.
    """

    vlm: str = Field(min_length=1)
    instructions: str = Field(min_length=1)
    benchmark: str = Field(min_length=1)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class QuestionSpec:
    """Ask a VLM one question of one picture, and of ``others``, which it ought not to be told of.

    With ``options`` it answers by their likelihood, without them in words.
    """

    vlm: str = Field(min_length=1)
    picture: str = Field(min_length=1)
    question: str = Field(min_length=1, max_length=500)
    options: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DraftsSpec:
    """Let a VLM write a report of each picture; ``pictures`` has their places by SHA-256.

    A report has at most ``longest`` tokens.
    """

    vlm: str = Field(min_length=1)
    pictures: dict[str, str]
    question: str = Field(min_length=1, max_length=500)
    longest: int = Field(ge=8, le=1_024)
